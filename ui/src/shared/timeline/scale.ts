/**
 * One clock for all lanes, broken on purpose: seconds and days must both be seen, so the room
 * between two instants grows with the logarithm of the time between them. Order is always kept.
 */
export interface Scale {
  /** Place of an instant, 0 to 1; outside instants are held at the ends. */
  at(ms: number): number;
  readonly instants: readonly number[];
}

const UNIT_MS = 20_000;
const LEAST = 0.9;
const MOST = 7;
/** Share of the whole that a named gap gets at least, so that its name fits. */
const GAP_SHARE = 0.24;

export function makeScale(times: readonly number[], gaps: readonly { from: number; until: number }[]): Scale {
  const instants = [...new Set(times.filter(Number.isFinite))].sort((a, b) => a - b);
  const weights = instants.slice(1).map((t, i) => Math.min(MOST, Math.max(LEAST, Math.log2(1 + (t - (instants[i] ?? t)) / UNIT_MS))));
  for (const gap of gaps) {
    const inside = weights.map((_, i) => (instants[i] ?? 0) >= gap.from && (instants[i + 1] ?? 0) <= gap.until);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const own = weights.reduce((total, weight, i) => total + (inside[i] ? weight : 0), 0);
    const wanted = (GAP_SHARE * (sum - own)) / (1 - GAP_SHARE);
    if (own > 0 && own < wanted) inside.forEach((is, i) => { if (is) weights[i] = (weights[i] ?? 0) * (wanted / own); });
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0) || 1;
  const places = [0];
  for (const weight of weights) places.push((places.at(-1) ?? 0) + weight / total);
  return {
    instants,
    at(ms) {
      const next = instants.findIndex((t) => t >= ms);
      if (next === -1) return instants.length > 0 ? (places.at(-1) ?? 1) : 0;
      if (next === 0) return 0;
      const [a = ms, b = ms] = [instants[next - 1], instants[next]];
      const [from = 0, to = 0] = [places[next - 1], places[next]];
      return b === a ? to : from + ((ms - a) / (b - a)) * (to - from);
    },
  };
}

export interface Marked {
  /** Pixels from the left. */
  readonly x: number;
  /** Pixels of the label as set. */
  readonly width: number;
  /** The label is about the whole lane, so it may stand away from its dot. */
  readonly anywhere?: boolean;
}

const ROOM = 11;

/**
 * Where each label of a lane begins, in pixels: right of its dot, else left of it; a label about the
 * whole lane also before its first or behind its last dot. `null` where it would hit something everywhere.
 */
export function placeLabels(marks: readonly Marked[], laneWidth: number, blocked: readonly { from: number; to: number }[]): (number | null)[] {
  const taken = [...blocked];
  const free = (from: number, to: number): boolean => from >= 0 && to <= laneWidth
    && marks.every((mark) => mark.x + 6 <= from || mark.x - 6 >= to)
    && taken.every((block) => block.to <= from || block.from >= to);
  const first = Math.min(...marks.map((mark) => mark.x));
  const last = Math.max(...marks.map((mark) => mark.x));
  return marks.map(({ x, width, anywhere }) => {
    if (width === 0) return null;
    const from = [x + ROOM, x - ROOM - width, ...(anywhere ? [first - ROOM - width, last + ROOM] : [])].find((start) => free(start, start + width));
    if (from === undefined) return null;
    taken.push({ from, to: from + width });
    return from;
  });
}

/** Lane at which a name of two lanes' height hits no dot between `from` and `to`; the nearest to the middle. */
export function laneForName(lanes: readonly (readonly number[])[], from: number, to: number): number {
  const middle = (lanes.length - 2) / 2;
  const clear = (lane: number): boolean => [lane, lane + 1].every((l) => (lanes[l] ?? []).every((x) => x < from - 6 || x > to + 6));
  const all = Array.from({ length: Math.max(1, lanes.length - 1) }, (_, lane) => lane).sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
  return all.find(clear) ?? all[0] ?? 0;
}

/** Instants to write below the lanes: those that have room, the first always. */
export function ticks(scale: Scale, width: number, room: number): number[] {
  const shown: number[] = [];
  let end = -Infinity;
  for (const t of scale.instants) {
    const x = scale.at(t) * width;
    if (x >= end && x + room / 2 <= width) {
      shown.push(t);
      end = x + room;
    }
  }
  return shown;
}
