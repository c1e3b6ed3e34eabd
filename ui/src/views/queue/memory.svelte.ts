import type { QueueFilter } from '../../lib/ipc/generated/contract';
import { OPEN_FILTER } from '../../domain/queue';

/** Where one was in the queue, for coming back from a case. */
class Memory {
  filter = $state.raw<QueueFilter>(OPEN_FILTER);
  row = $state(0);
  caseId = $state('');
  peek = $state(false);
}

export const memory = new Memory();
