import type { HostCode, HostError } from '../../lib/ipc/host';

/** Why something could not be read or done, as shown. */
export interface Failure {
  readonly code: HostCode;
  readonly message: string;
  readonly retry: boolean;
  readonly incident: string | null;
}

export function failure(error: HostError): Failure {
  return { code: error.code, message: error.message, retry: error.retry, incident: error.incident };
}
