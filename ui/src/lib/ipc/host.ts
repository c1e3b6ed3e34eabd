/**
 * The seam between window and core. Everything the window knows comes through a Host; views never
 * meet the bridge itself.
 */
import type { ActCommands, Code, Opening, QueryCommands, Topic, WireError } from './generated/contract';

export type Query = keyof QueryCommands;
export type Act = keyof ActCommands;

export interface Host {
  /** Reads. Can be repeated freely. */
  query<C extends Query>(cmd: C, payload: QueryCommands[C][0]): Promise<QueryCommands[C][1]>;
  /** Changes something. Never repeated by the host itself. */
  act<C extends Act>(cmd: C, payload: ActCommands[C][0]): Promise<ActCommands[C][1]>;
  /** The bytes of an output's file, as kept in the vault and hashed on the way. */
  media(caseId: string, outputId: string): Promise<ArrayBuffer>;
  /** Tells what must be read again. The answer stops the telling. */
  onChanged(listener: (topic: Topic) => void): Promise<() => void>;
  /** Address under which an attachment's picture can be shown. */
  attachmentUrl(attachmentId: string): string;
}

/** The program before there is a core to ask. */
export interface Opener {
  /** How far the opening of the workspace is. */
  now(): Promise<Opening>;
  /** Tells each step. The answer stops the telling. */
  onOpening(listener: (opening: Opening) => void): Promise<() => void>;
  /** Tries once more, where it failed. */
  again(): Promise<void>;
}

/** `unreachable`: the core did not answer at all, so nothing is known about what it did. */
export type HostCode = Code | 'unreachable';

export class HostError extends Error {
  readonly code: HostCode;
  readonly retry: boolean;
  readonly incident: string | null;

  constructor(code: HostCode, message: string, retry: boolean, incident: string | null = null) {
    super(message);
    this.name = 'HostError';
    this.code = code;
    this.retry = retry;
    this.incident = incident;
  }

  /** What was thrown, as a HostError: a wire error as told, anything else as no answer. */
  static from(thrown: unknown): HostError {
    if (thrown instanceof HostError) return thrown;
    if (isWireError(thrown)) return new HostError(thrown.code, thrown.message, thrown.retry, thrown.incident);
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return new HostError('unreachable', `The core gave no answer: ${why}`, true);
  }
}

function isWireError(thrown: unknown): thrown is WireError {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'message' in thrown && 'retry' in thrown
    && typeof thrown.message === 'string';
}
