import { createHash } from 'node:crypto'

/**
 * Marks one request as sent by one client: its signature (which covers method, target, date and body) with its
 * x-ms-client-request-id. A client that lost the answer and retries sends both again (the JavaScript SDK signs before
 * its retry loop), so the retry can be given the first answer instead of a second effect. Two requests that merely
 * look alike differ in one of the two; without a client request id nothing is taken for a retry.
 */
export const requestMark = (signature: Buffer, clientRequestId: string | undefined): Buffer | null =>
  clientRequestId === undefined || clientRequestId === ''
    ? null
    : createHash('sha256').update(signature).update(clientRequestId).digest()
