import { announce } from '../announce/announce.svelte';

export async function copyId(id: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(id);
    announce.say(`Copied ${id}`);
  } catch {
    announce.warn(`The clipboard could not be written. The id is ${id}`);
  }
}
