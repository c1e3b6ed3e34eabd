import './shared/fonts.css';
import './shared/base.css';
import './shared/tokens.css';

import { mount } from 'svelte';

import type { Host } from './lib/ipc/host';
import { inTauri, tauriHost } from './lib/ipc/tauri';
import App from './views/shell/App.svelte';
import Outside from './views/shell/Outside.svelte';

async function chooseHost(): Promise<Host | null> {
  if (inTauri()) return tauriHost;
  // The invented world is no part of the product: a build for the window leaves it out.
  if (import.meta.env.DEV || import.meta.env.MODE === 'fake') {
    const { FakeHost, optionsFrom } = await import('./lib/ipc/fake/host');
    return new FakeHost(optionsFrom(location.search));
  }
  return null;
}

const target = document.getElementById('app');
if (target) {
  const host = await chooseHost();
  if (host) mount(App, { target, props: { host } });
  else mount(Outside, { target });
}
