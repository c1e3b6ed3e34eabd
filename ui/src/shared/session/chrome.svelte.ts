/** What the shown view says in the frame: where one is, and which keys help here. */
export interface Crumb {
  readonly text: string;
  readonly mono?: boolean;
  readonly go?: () => void;
}

class Chrome {
  crumbs = $state.raw<readonly Crumb[]>([]);
  remark = $state('');
  /** Ids of commands whose keys the status strip prints. */
  hints = $state.raw<readonly string[]>([]);
  /** Instant of the facts in view. */
  asOf = $state('');
  palette = $state(false);
  keyMap = $state(false);
}

export const chrome = new Chrome();
