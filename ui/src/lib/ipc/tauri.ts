/** The only file that talks to Tauri. */
import { convertFileSrc, invoke, isTauri } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';

import type { ActCommands, Opening, QueryCommands, Topic } from './generated/contract';
import { HostError, type Act, type Host, type Opener, type Query } from './host';

export const inTauri = isTauri;

async function call<T>(door: 'query' | 'act', cmd: string, payload: unknown): Promise<T> {
  try {
    return await invoke<T>(door, { cmd, payload });
  } catch (thrown) {
    throw HostError.from(thrown);
  }
}

export const tauriHost: Host = {
  query: <C extends Query>(cmd: C, payload: QueryCommands[C][0]) => call<QueryCommands[C][1]>('query', cmd, payload),
  act: <C extends Act>(cmd: C, payload: ActCommands[C][0]) => call<ActCommands[C][1]>('act', cmd, payload),
  media: async (caseId, outputId) => {
    try {
      return await invoke<ArrayBuffer>('media', { caseId, outputId });
    } catch (thrown) {
      throw HostError.from(thrown);
    }
  },
  onChanged: (listener) => listen<Topic>('changed', (event) => listener(event.payload)),
  attachmentUrl: (attachmentId) => convertFileSrc(attachmentId, 'attach'),
};

export const tauriOpener: Opener = {
  now: () => invoke<Opening>('opening'),
  onOpening: (listener) => listen<Opening>('opening', (event) => listener(event.payload)),
  again: async () => {
    await invoke('open_again');
  },
};
