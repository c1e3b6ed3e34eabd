import type { CanvasItem } from '../lib/ipc/generated/contract';

/** The file of an item that can be looked at: an output's, else our own copy of what nobody has as an output yet. */
export const fileOf = (item: CanvasItem): string | null => (item.now.previewable ? item.now.outputId : item.saved);
