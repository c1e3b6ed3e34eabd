/** The providers of the invented world: one for each way in which a connection can fare. */
import type { AdapterView, AddConnectionRequest, CapabilityView, ConnectionRow, ConnectionsView, HealthView, KeyCheckView, KeyVerdict, RetentionView } from '../generated/contract';
import { HostError } from '../host';
import { iso, NOW } from './queue';

/** `unkept`: the system has no keyring. `practice`: all keys came with the workspace, and none can be added. */
export type FakeProviders = 'all' | 'none' | 'unkept' | 'practice';

const START = Date.parse(NOW);
const MINUTE = 60_000;
const SEEN = '2026-03-02';

const can = (more: Partial<CapabilityView>): CapabilityView => ({ lookUp: true, listByTime: false, cost: false, cancel: false, webhook: false, givesExpiry: false, ...more });
const kept = (minutes: number | null, source: string): RetentionView => ({ minutes, source, seen: SEEN });

function adapter(name: string, title: string, keyForm: string, abilities: Partial<CapabilityView>, retention: RetentionView): AdapterView {
  return {
    adapter: name, name: title, docsUrl: `https://docs.${name}.example/api/jobs`, keyHint: `An API key of the account that made the jobs at ${title}`,
    keyForm, baseUrl: `https://api.${name}.example/v1`, can: can(abilities), retention,
  };
}

const ADAPTERS: readonly AdapterView[] = [
  adapter('meridian', 'Meridian Video', 'authorization: Bearer …', { listByTime: true, webhook: true, cost: true }, kept(2880, 'docs.meridian.example/retention: files of finished jobs are removed after 48 hours')),
  adapter('kestrel', 'Kestrel', 'authorization: Key …', { listByTime: true, webhook: true }, kept(null, 'docs.kestrel.example/storage: files stay until their owner deletes them')),
  adapter('tidepool', 'Tidepool Images', 'x-key: …', { webhook: true, givesExpiry: true }, kept(10, 'docs.tidepool.example/results: addresses of results are valid for 10 minutes')),
  adapter('arcway', 'Arcway', 'authorization: Bearer …', { cancel: true }, kept(60, 'docs.arcway.example/data: outputs are removed an hour after the job')),
  adapter('lumen', 'Lumen Voice', 'x-api-key: …', { listByTime: true }, kept(43_200, 'docs.lumen.example/history: kept for 30 days')),
  adapter('harbor', 'Harbor Sync', 'x-api-key: …', { webhook: true, listByTime: true }, kept(10_080, 'docs.harbor.example: kept for 7 days')),
  adapter('northlight', 'Northlight', 'authorization: Bearer …', { lookUp: false }, kept(null, 'docs.northlight.example: results are in the answer itself')),
];

const health = (more: Partial<HealthView>): HealthView => ({ last: null, retriesLeft: 10, retriesMax: 10, failures: 0, failuresMax: 5, leftAlone: null, ...more });
const last = (minutesAgo: number, status: number | null, tookMs: number, why = ''): HealthView['last'] => ({ at: iso(START - minutesAgo * MINUTE), tookMs, status, keyTaken: status === 200, why });

function row(n: number, more: Partial<ConnectionRow>): ConnectionRow {
  const info = ADAPTERS[n] ?? adapter('nobody', 'Nobody', 'x-key: …', {}, kept(null, ''));
  return { id: info.adapter, name: info.name, adapter: info, baseUrl: info.baseUrl, retention: info.retention, key: { place: 'keyring', variable: null }, revision: 1, health: health({}), ...more };
}

const ROWS: readonly ConnectionRow[] = [
  row(0, { health: health({ last: last(2, 200, 240), retriesLeft: 9 }) }),
  row(1, { key: { place: 'environment', variable: 'KESTREL_KEY' }, health: health({ last: last(0.6, 200, 1420) }) }),
  row(2, { health: health({ last: last(0.2, null, 15_000, 'no answer within 15 s'), retriesLeft: 0, failures: 5, leftAlone: { why: 'failing', until: iso(START + 19_000) } }) }),
  row(3, { key: { place: 'missing', variable: 'ARCWAY_API_KEY' } }),
  row(4, { health: health({ last: last(1, 429, 180), retriesLeft: 6, leftAlone: { why: 'asked', until: iso(START + 4 * MINUTE) } }), retention: { minutes: 20_160, source: 'this workspace’s settings', seen: null } }),
  row(5, { key: { place: 'waiting', variable: null }, baseUrl: 'https://gateway.studio.example/harbor' }),
];

const SAID: Readonly<Record<KeyVerdict, { status: number; words: (name: string) => string; body: string }>> = {
  accepted: { status: 404, words: (name) => `${name} looked for a job that can't exist, and said that it is not there.`, body: '{"detail":"job not found"}' },
  auth_error: { status: 401, words: () => 'The key was not accepted: HTTP 401: invalid api key.', body: '{"detail":"invalid api key"}' },
  rate_limited: { status: 429, words: () => 'Asked too often: HTTP 429: slow down.', body: '{"detail":"slow down"}' },
  unreachable: { status: 0, words: (name) => `${name} could not be asked: not reached: connection refused.`, body: 'not reached: connection refused' },
  faulty: { status: 503, words: (name) => `${name} answered: HTTP 503.`, body: '<html>upstream</html>' },
  unclear: { status: 422, words: (name) => `${name} did not take the question: HTTP 422: bad id.`, body: '{"detail":"bad id"}' },
  not_asked: { status: 0, words: () => 'Not asked: the provider asked for a pause for another 240 s.', body: '' },
};

export class FakeConnections {
  #kind: FakeProviders;
  #rows: ConnectionRow[];

  constructor(kind: FakeProviders) {
    this.#kind = kind;
    this.#rows = kind === 'none' ? [] : ROWS.map((one) => this.#placed(one));
  }

  view(now: string): ConnectionsView {
    const unkept = this.#kind === 'unkept';
    return {
      now, keyring: unkept ? { name: null, why: 'no session bus answers' } : { name: 'the desktop’s keyring', why: null },
      closedBecause: this.#kind === 'practice' ? 'the practice workspace has providers of its own, on this machine. A connected workspace begins with a makegood.toml' : null,
      rows: [...this.#rows], adapters: [...ADAPTERS],
    };
  }

  put(id: string, key: string, revision: number, conflict: boolean): ConnectionRow {
    const one = this.#changeable(id, revision, conflict);
    if (/^(bearer|key) /i.test(key)) throw new HostError('refused', 'This is no key: it begins with a word of the header; only what follows is the key. Nothing was kept.', false);
    return this.#keep({ ...one, key: { ...one.key, place: 'keyring' }, revision: revision + 1, health: health({}) });
  }

  remove(id: string, revision: number, conflict: boolean): ConnectionRow {
    const one = this.#changeable(id, revision, conflict);
    return this.#keep({ ...one, key: { ...one.key, place: 'missing' }, revision: revision + 1, health: health({}) });
  }

  disconnect(id: string, revision: number, conflict: boolean): void {
    const one = this.#known(id);
    if (this.#kind === 'practice') throw new HostError('refused', 'the practice workspace has providers of its own, on this machine', false);
    if (conflict || one.revision !== revision) throw new HostError('stale', `The key of ${id} was changed meanwhile. Look again.`, false);
    this.#rows = this.#rows.filter((row) => row.id !== id);
  }

  check(id: string, verdict: KeyVerdict, now: string): KeyCheckView {
    const one = this.#known(id);
    const said = SAID[verdict];
    const asked = verdict !== 'not_asked';
    if (asked) this.#keep({ ...one, health: { ...one.health, last: { at: now, tookMs: 312, status: said.status || null, keyTaken: verdict === 'accepted', why: said.status ? '' : said.body } } });
    const url = `${one.baseUrl}/jobs/00000000-0000-4000-8000-000000000000`;
    return { verdict, words: said.words(one.name), at: now, tookMs: asked ? 312 : 0, answers: asked ? [{ url, status: said.status, body: said.body, fetchedAt: now }] : [] };
  }

  reset(id: string): ConnectionRow {
    const one = this.#known(id);
    const pause = one.health.leftAlone?.why === 'asked' ? one.health.leftAlone : null;
    return this.#keep({ ...one, health: { ...one.health, retriesLeft: one.health.retriesMax, failures: 0, leftAlone: pause } });
  }

  add({ id, adapter: wanted, name, baseUrl, variable, key }: AddConnectionRequest): ConnectionRow {
    const info = ADAPTERS.find((one) => one.adapter === wanted);
    if (!info) throw new HostError('bad_request', `there is no adapter \`${wanted}\``, false);
    if (this.#rows.some((one) => one.id === id)) throw new HostError('refused', `There is a provider ${id} already.`, false);
    if (baseUrl !== null && !/^https?:\/\//.test(baseUrl)) throw new HostError('refused', `Provider ${id}: base_url ${baseUrl} is not an address of http or https.`, false);
    const added: ConnectionRow = {
      id, name: name ?? info.name, adapter: info, baseUrl: baseUrl ?? info.baseUrl, retention: info.retention,
      key: { place: key === null ? 'missing' : 'keyring', variable }, revision: 1, health: health({}),
    };
    this.#rows = [...this.#rows, added];
    return added;
  }

  #placed(one: ConnectionRow): ConnectionRow {
    if (this.#kind === 'practice') return { ...one, key: { place: 'workspace', variable: null } };
    if (this.#kind === 'unkept' && one.key.place !== 'environment') return { ...one, key: { place: 'missing', variable: one.key.variable } };
    return one;
  }

  #known(id: string): ConnectionRow {
    const one = this.#rows.find((other) => other.id === id);
    if (!one) throw new HostError('not_found', `there is no provider ${id} in the settings`, false);
    return one;
  }

  #changeable(id: string, revision: number, conflict: boolean): ConnectionRow {
    const one = this.#known(id);
    if (conflict) {
      this.#keep({ ...one, key: { ...one.key, place: 'keyring' }, revision: one.revision + 1 });
      throw new HostError('stale', `Another program changed the key of ${id} in the keyring meanwhile; its key is used now. Look again.`, true);
    }
    if (one.revision !== revision) throw new HostError('stale', `The key of ${id} was changed meanwhile. Look again.`, true);
    if (this.#kind === 'unkept') throw new HostError('unavailable', 'There is no keyring: no session bus answers.', true);
    return one;
  }

  #keep(one: ConnectionRow): ConnectionRow {
    this.#rows = this.#rows.map((other) => (other.id === one.id ? one : other));
    return one;
  }
}
