/** Providers in words: where a key is, what a provider made of it, how its connection fares. */
import type { CapabilityView, ConnectionRow, HealthView, KeyCheckView, KeyVerdict, KeyView, LastAnswerView, RetentionView } from '../lib/ipc/generated/contract';
import { span } from './format';
import type { Word } from './words';

const PLACES: Readonly<Record<KeyView['place'], Word>> = {
  keyring: { shape: 'check', tone: 'ok', word: 'In the keyring' },
  environment: { shape: 'check', tone: 'ok', word: 'From the environment' },
  workspace: { shape: 'check', tone: 'ok', word: 'From the workspace' },
  missing: { shape: 'open', tone: 'warn', word: 'No key' },
  waiting: { shape: 'lock', tone: 'warn', word: 'Keyring is locked' },
};

export const keyPlace = (key: KeyView): Word => PLACES[key.place];

/** Whether a key can be put into the keyring or taken out of it from here. */
export const isOurs = (key: KeyView): boolean => key.place !== 'environment' && key.place !== 'workspace';

/** `The desktop's keyring`, at the beginning of a sentence. */
export const beginning = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

const VERDICTS: Readonly<Record<KeyVerdict, Word>> = {
  accepted: { shape: 'check', tone: 'ok', word: 'The key is accepted' },
  auth_error: { shape: 'refused', tone: 'bad', word: 'The key is refused' },
  rate_limited: { shape: 'held', tone: 'warn', word: 'Asked too often' },
  unreachable: { shape: 'unknown', tone: 'warn', word: 'Not reached' },
  faulty: { shape: 'alert', tone: 'warn', word: 'The provider has a fault' },
  unclear: { shape: 'unknown', tone: 'warn', word: 'Neither yes nor no' },
  not_asked: { shape: 'open', tone: 'neutral', word: 'Not asked' },
};

export const verdict = (value: KeyVerdict): Word => VERDICTS[value];

/** What a verdict leaves open, or what helps now. */
export function advice(check: KeyCheckView, health: HealthView): string {
  switch (check.verdict) {
    case 'accepted': return 'Whether it is of the account that made the jobs shows when one of them is looked up.';
    case 'auth_error': return 'Look at its form above, and whether it was revoked; then replace it.';
    case 'rate_limited': return 'This says nothing of the key. Test again later.';
    case 'unreachable': return 'This says nothing of the key. Look at the address, and at the network of this machine.';
    case 'faulty': case 'unclear': return 'This says nothing certain of the key. The answer is below.';
    case 'not_asked': return health.leftAlone?.why === 'failing' ? 'Reset lets it be asked at once.' : '';
  }
}

/** Status of an answer in a word. */
export function answered(last: LastAnswerView): Word {
  const { status, keyTaken } = last;
  if (status === null) return { shape: 'unknown', tone: 'warn', word: 'No answer' };
  if ((status === 401 || status === 403) && !keyTaken) return { shape: 'refused', tone: 'bad', word: 'Refused' };
  if (status === 429) return { shape: 'held', tone: 'warn', word: 'Too often' };
  if (status >= 500) return { shape: 'alert', tone: 'warn', word: 'Fault' };
  return { shape: 'check', tone: 'ok', word: 'Answered' };
}

/** The connection in one finding: what keeps it from working first, then its last answer. */
export function finding(row: ConnectionRow, now: number): Word {
  const { key, health } = row;
  if (key.place === 'missing' || key.place === 'waiting') return keyPlace(key);
  const { leftAlone, last } = health;
  if (leftAlone && Date.parse(leftAlone.until) > now) {
    const left = span(Date.parse(leftAlone.until) - now + 999);
    return leftAlone.why === 'asked' ? { shape: 'held', tone: 'warn', word: `Paused for ${left}` } : { shape: 'refused', tone: 'bad', word: `Left alone for ${left}` };
  }
  return last ? answered(last) : { shape: 'open', tone: 'neutral', word: 'Not asked yet' };
}

/** `240 ms`, `1.4 s`. */
export function took(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds} ms` : milliseconds < 60_000 ? `${(milliseconds / 1000).toFixed(1)} s` : span(milliseconds);
}

export interface Ability {
  readonly id: keyof CapabilityView;
  readonly can: boolean;
  readonly text: string;
}

/** What each ability is good for, and what is missed without it. The last two are the vendor's, and nothing here makes use of them. */
const ABILITIES: readonly [keyof CapabilityView, string, string][] = [
  ['lookUp', 'Tells of a job by its id', 'Tells nothing of a job afterwards'],
  ['listByTime', 'Lists jobs of a time, so that one whose id was lost is found', 'Lists no jobs: one whose id was lost stays lost'],
  ['webhook', 'Tells by webhook when a job ends', 'Sends no webhooks: it has to be asked'],
  ['givesExpiry', 'Tells until when a file is kept', 'Does not tell until when a file is kept'],
  ['cost', 'Offers to tell what a job cost; not used here', 'Offers nothing about what a job cost'],
  ['cancel', 'Offers cancelling of a job; not used here', 'Offers no cancelling of a job'],
];

export function abilities(can: CapabilityView): Ability[] {
  return ABILITIES.map(([id, yes, no]) => ({ id, can: can[id], text: can[id] ? yes : no }));
}

/** `48 hours`, `7 days`, `10 minutes`, `no limit is stated`. */
export function keeps(retention: RetentionView | null): string {
  const minutes = retention?.minutes;
  if (retention === null) return 'not known';
  if (minutes === null || minutes === undefined) return 'no limit is stated';
  const named = (n: number, unit: string): string => `${n} ${unit}${n === 1 ? '' : 's'}`;
  if (minutes % 1440 === 0 && minutes > 2880) return named(minutes / 1440, 'day');
  return minutes % 60 === 0 ? named(minutes / 60, 'hour') : named(minutes, 'minute');
}
