/** Shapes of states: ● done, ◐ partial, ○ open, ✗ refused, ? unknown, ‖ held. */
export type Shape = 'done' | 'part' | 'open' | 'refused' | 'unknown' | 'held' | 'check' | 'alert' | 'lock' | 'busy';
