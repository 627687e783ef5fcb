import type { Fault, Phase, ProbeOutcome } from './outcome.ts';
import { type CheckStatus, REASONS, type Reason, type Verdict } from './reasons.ts';

/** What an outcome means, and what to do about it. */
export interface Classification {
  verdict: Verdict;
  reason: Reason;
  check: CheckStatus;
  /** What happened in this case, in a sentence; safe to store (never a secret). */
  message: string;
  suggestion: string;
}

const UNREACHABLE = new Set([
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EHOSTDOWN',
  'ENETDOWN',
  'EACCES',
  'EINVAL',
]);
const DNS = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'EAI_NONAME',
  'ENODATA',
  'ESERVFAIL',
]);
const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_UNTRUSTED',
  'CERT_REVOKED',
  'CERT_NOT_YET_VALID',
  'INVALID_CA',
  'HOSTNAME_MISMATCH',
]);

const CONNECTING = new Set<Phase>(['dns', 'connect', 'tls', 'spawn']);

function ofHttp(status: number): Reason {
  if (status === 401) return 'unauthenticated';
  if (status === 403) return 'forbidden';
  if (status === 404 || status === 410) return 'not_found';
  if (status === 405) return 'method_not_allowed';
  if (status === 429) return 'rate_limited';
  if (status >= 500) return 'server_error';
  if (status >= 400) return 'client_error';
  if (status >= 300) return 'redirect';
  return 'not_mcp';
}

function ofTimeout(phase: Phase): Reason {
  if (CONNECTING.has(phase)) return phase === 'spawn' ? 'timeout_handshake' : 'timeout_connect';
  if (phase === 'auth') return 'timeout_auth';
  if (phase === 'ping') return 'timeout_ping';
  if (phase === 'list') return 'timeout_list';
  if (phase === 'canary') return 'canary_failed';
  return 'timeout_handshake';
}

function ofNetwork(code: string): Reason {
  if (code === 'ECONNREFUSED') return 'refused';
  if (DNS.has(code)) return 'dns';
  if (UNREACHABLE.has(code)) return 'unreachable';
  if (code === 'ETIMEDOUT') return 'timeout_connect';
  return 'closed';
}

type Limit = Extract<Fault, { kind: 'limit' }>;

const OF_LIMIT: Record<Exclude<Limit['limit'], 'body'>, Reason> = {
  headers: 'headers_too_large',
  line: 'line_too_long',
  messages: 'too_many_messages',
  pages: 'list_unbounded',
  items: 'too_many_items',
  depth: 'too_deep',
  stall: 'stalled',
  processes: 'too_many_processes',
};

/** Each bound of ours has a reason of its own. */
function ofLimit({ limit, phase }: Limit): Reason {
  if (limit !== 'body') return OF_LIMIT[limit];
  return phase === 'list' ? 'too_large' : 'answer_too_large';
}

/** A bound that is passed says little by itself: before the listing nothing has shown that a server is there and alive. */
function verdictOf(fault: Fault | null, reason: Reason): Verdict {
  if (fault?.kind !== 'limit' || fault.limit === 'processes') return REASONS[reason].verdict;
  return fault.phase === 'list' ? 'degraded' : 'down';
}

/** The reason behind a fault; total over the union, so a new kind of fault does not compile unclassified. */
export function reasonOf(fault: Fault): Reason {
  switch (fault.kind) {
    case 'config':
      return fault.field === 'auth'
        ? 'bad_auth_config'
        : fault.field === 'secret'
          ? 'secret_unreadable'
          : fault.field === 'transport'
            ? 'bad_transport'
            : 'bad_endpoint';
    case 'egress':
      return 'egress_denied';
    case 'command':
      return 'command_denied';
    case 'network':
      return ofNetwork(fault.code);
    case 'tls':
      return fault.code === 'CERT_HAS_EXPIRED'
        ? 'tls_expired'
        : fault.code === 'ERR_TLS_PIN_MISMATCH'
          ? 'tls_pin_mismatch'
          : fault.code.endsWith('ALERT_CERTIFICATE_REQUIRED')
            ? 'tls_client_certificate'
            : UNTRUSTED.has(fault.code)
              ? 'tls_untrusted'
              : 'tls_other';
    case 'timeout':
      return ofTimeout(fault.phase);
    case 'http':
      return ofHttp(fault.status);
    case 'notMcp':
      return 'not_mcp';
    case 'version':
      return 'protocol_version';
    case 'protocol':
      return 'protocol_error';
    case 'rpc':
      return 'rpc_error';
    case 'limit':
      return ofLimit(fault);
    case 'spawn':
      return 'spawn_failed';
    case 'exit':
      return 'exited';
    case 'closed':
      return 'closed';
    case 'oauth':
      return 'oauth_failed';
    case 'internal':
      return 'internal';
  }
}

/** Warnings that are a reason, the most urgent first. */
const DEGRADING = ['oauth_renewal_failed', 'too_deep', 'invalid_definition', 'bad_monitor_settings'] as const;

function ofWarnings(outcome: ProbeOutcome): { reason: Reason; message: string } | undefined {
  const listFailed = outcome.warnings.find(({ code }) => code === 'list_failed');
  if (listFailed) return { reason: 'list_failed', message: listFailed.message };
  const { canary } = outcome;
  if (canary && !canary.ok) {
    const reason = canary.allowed ? 'canary_failed' : 'canary_not_called';
    return { reason, message: canary.failure ?? REASONS[reason].title };
  }
  for (const code of DEGRADING) {
    const warning = outcome.warnings.find((candidate) => candidate.code === code);
    if (warning) return { reason: code, message: warning.message };
  }
  return undefined;
}

/** What a refusal itself says that it wants; undefined when it says nothing. */
function suggestionOf(fault: Fault | null): string | undefined {
  if (fault?.kind !== 'http' || fault.status !== 401 || !fault.wants) return undefined;
  const { servers, scopes } = fault.wants;
  const from = servers.length === 0 ? '' : ` of ${servers.join(' or ')}`;
  const scoped = scopes.length === 0 ? '' : ` with the scope ${scopes.join(' ')}`;
  return `Give the registry a token${from}${scoped}, or the client id and secret that get one (auth_type oauth).`;
}

/** From what happened to what it means: pure, total, and the only place where that is decided. */
export function classify(outcome: ProbeOutcome): Classification {
  const { reason, message } = outcome.fault
    ? { reason: reasonOf(outcome.fault), message: outcome.fault.message }
    : (ofWarnings(outcome) ?? { reason: 'ok' as const, message: REASONS.ok.title });
  const { check, suggestion } = REASONS[reason];
  const verdict = verdictOf(outcome.fault, reason);
  return { verdict, reason, check, message, suggestion: suggestionOf(outcome.fault) ?? suggestion };
}
