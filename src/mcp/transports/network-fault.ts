import type { Fault, Phase } from '../../core/outcome.ts';
import { FaultError } from '../fault-error.ts';

const CERTIFICATE =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|ERR_TLS_|ERR_SSL_|ERR_OSSL_|EPROTO$)/;
const CUT_OFF = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE']);
const DIALING = new Set<Phase>(['dns', 'connect', 'tls']);

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error instanceof AggregateError ? codeOf(error.errors[0]) : '';
}

function textOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.map(textOf).join('; ');
  }
  return error instanceof Error ? error.message : String(error);
}

/** What an error of a socket, of TLS or of Node's HTTP parser says about the target. */
export function faultOfNetworkError(error: unknown, phase: Phase): Fault {
  if (error instanceof FaultError) return error.fault;
  const code = codeOf(error);
  const message = textOf(error);
  if (code === 'HPE_HEADER_OVERFLOW' || code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') {
    const what = code === 'HPE_HEADER_OVERFLOW' ? 'response headers' : 'chunk extensions';
    return { kind: 'limit', phase, limit: 'headers', message: `its ${what} are larger than we take` };
  }
  if (code.startsWith('HPE_')) {
    return { kind: 'notMcp', phase, message: `its answer is not HTTP (${message})` };
  }
  if (CERTIFICATE.test(code)) return { kind: 'tls', code, message };
  if (code.startsWith('Z_') || code.startsWith('ERR_BROTLI') || code === 'ERR__ERROR_FORMAT_PADDING_1') {
    return { kind: 'protocol', phase, message: `its compressed answer cannot be decoded (${message})` };
  }
  if (CUT_OFF.has(code) && !DIALING.has(phase)) {
    return { kind: 'closed', phase, message: `the connection ended before the answer (${message})` };
  }
  if (code !== '') return { kind: 'network', phase, code, message };
  return { kind: 'internal', message };
}
