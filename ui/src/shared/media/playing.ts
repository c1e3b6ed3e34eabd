/** What a player says: how far it is, and why it cannot. */
import type { MediaView } from '../../lib/ipc/generated/contract';

export type MediaKind = 'video' | 'audio' | 'image';

export type PlayerState = 'loading' | 'ready' | 'playing' | 'paused' | 'ended' | 'failed';

/** Seconds on the player's clock: `0:07`, `1:02:05`; tenths where the whole is short. */
export function playTime(seconds: number, whole: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '–';
  const tenths = whole < 10 ? `.${Math.floor((seconds * 10) % 10)}` : '';
  const s = Math.floor(seconds);
  const two = (n: number): string => String(n).padStart(2, '0');
  const clock = s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
  return clock + tenths;
}

/** The codes of `MediaError` (HTML, 4.8.11.1). */
const ABORTED = 1;
const NETWORK = 2;
const DECODE = 3;
const UNSUPPORTED = 4;

/**
 * Why a player gave up, for people. The file was hashed before it was handed to the player, so what it
 * cannot read is, as far as is known, the player's lack and not the file's.
 */
export function whyNot(code: number | undefined, kind: MediaKind, mediaType: string): string {
  const what = kind === 'image' ? 'picture' : kind;
  switch (code) {
    case ABORTED: return `The ${what} was put away before it was read.`;
    case NETWORK: return `The ${what} could not be read to its end.`;
    case DECODE: return `This machine could not decode the ${what} (${mediaType}) to its end. The file itself has the hash that the record has for it.`;
    case UNSUPPORTED: return `This machine has no decoder for ${mediaType}. The file itself has the hash that the record has for it.`;
    default: return `The ${what} (${mediaType}) could not be shown.`;
  }
}

/** Where a step of so many seconds leads, kept within the whole. */
export function seek(now: number, by: number, whole: number): number {
  const end = Number.isFinite(whole) ? whole : Math.max(now, 0);
  return Math.min(end, Math.max(0, now + by));
}

/** `1280 × 720 h264, 0:08.0, aac stereo 48 kHz`: what the file says of itself, else what the player found. */
export function inWords(media: MediaView | null, measured: { readonly seconds: number; readonly width: number; readonly height: number } | undefined): string {
  const width = media?.picture?.width ?? measured?.width ?? 0;
  const height = media?.picture?.height ?? measured?.height ?? 0;
  const seconds = media?.durationMs ? media.durationMs / 1000 : (measured?.seconds ?? 0);
  const sound = media?.sound ? [media.sound.codec, CHANNELS[media.sound.channels] ?? `${media.sound.channels} channels`, `${media.sound.sampleRate / 1000} kHz`].filter((word) => word !== '').join(' ') : '';
  return [
    width > 0 && height > 0 ? `${width} × ${height}${media?.picture?.codec ? ` ${media.picture.codec}` : ''}` : '',
    seconds > 0 ? playTime(seconds, seconds) : '', sound,
  ].filter((part) => part !== '').join(', ');
}

const CHANNELS: Readonly<Record<number, string>> = { 1: 'mono', 2: 'stereo' };
