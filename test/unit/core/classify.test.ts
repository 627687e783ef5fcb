import { describe, expect, test } from 'vitest';
import { classify, reasonOf } from '../../../src/core/classify.ts';
import type { Fault, Phase, ProbeOutcome } from '../../../src/core/outcome.ts';
import { REASON_CODES, REASONS, type Reason } from '../../../src/core/reasons.ts';
import { failedWith, outcomeOf, REFUSED } from '../../support/outcomes.ts';

const message = 'what happened';
const http = (status: number): Fault => ({ kind: 'http', phase: 'handshake', status, message });
const network = (code: string): Fault => ({ kind: 'network', phase: 'connect', code, message });
const tls = (code: string): Fault => ({ kind: 'tls', code, message });
const timeout = (phase: Phase): Fault => ({ kind: 'timeout', phase, afterMs: 10_000, message });
const limit = (name: Extract<Fault, { kind: 'limit' }>['limit'], phase: Phase): Fault => ({
  kind: 'limit',
  phase,
  limit: name,
  message,
});

const CASES: [Fault, Reason][] = [
  [{ kind: 'config', field: 'endpoint', message }, 'bad_endpoint'],
  [{ kind: 'config', field: 'transport', message }, 'bad_transport'],
  [{ kind: 'config', field: 'auth', message }, 'bad_auth_config'],
  [{ kind: 'config', field: 'secret', message }, 'secret_unreadable'],
  [{ kind: 'egress', message }, 'egress_denied'],
  [{ kind: 'command', message }, 'command_denied'],
  [network('ECONNREFUSED'), 'refused'],
  [network('ENOTFOUND'), 'dns'],
  [network('EAI_AGAIN'), 'dns'],
  [network('EHOSTUNREACH'), 'unreachable'],
  [network('ENETUNREACH'), 'unreachable'],
  [network('ETIMEDOUT'), 'timeout_connect'],
  [network('ECONNRESET'), 'closed'],
  [network('EPIPE'), 'closed'],
  [tls('CERT_HAS_EXPIRED'), 'tls_expired'],
  [tls('DEPTH_ZERO_SELF_SIGNED_CERT'), 'tls_untrusted'],
  [tls('ERR_TLS_CERT_ALTNAME_INVALID'), 'tls_untrusted'],
  [tls('ERR_TLS_PIN_MISMATCH'), 'tls_pin_mismatch'],
  [tls('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'tls_client_certificate'],
  [tls('ERR_SSL_WRONG_VERSION_NUMBER'), 'tls_other'],
  [timeout('dns'), 'timeout_connect'],
  [timeout('connect'), 'timeout_connect'],
  [timeout('tls'), 'timeout_connect'],
  [timeout('spawn'), 'timeout_handshake'],
  [timeout('firstByte'), 'timeout_handshake'],
  [timeout('auth'), 'timeout_auth'],
  [timeout('handshake'), 'timeout_handshake'],
  [timeout('ping'), 'timeout_ping'],
  [timeout('list'), 'timeout_list'],
  [http(301), 'redirect'],
  [http(400), 'client_error'],
  [http(401), 'unauthenticated'],
  [http(403), 'forbidden'],
  [http(404), 'not_found'],
  [http(405), 'method_not_allowed'],
  [http(406), 'client_error'],
  [http(410), 'not_found'],
  [http(429), 'rate_limited'],
  [http(500), 'server_error'],
  [http(503), 'server_error'],
  [http(204), 'not_mcp'],
  [{ kind: 'notMcp', phase: 'handshake', message }, 'not_mcp'],
  [{ kind: 'version', offered: '1999-01-01', message }, 'protocol_version'],
  [{ kind: 'protocol', phase: 'handshake', message }, 'protocol_error'],
  [{ kind: 'rpc', phase: 'handshake', code: -32603, message }, 'rpc_error'],
  [timeout('canary'), 'canary_failed'],
  [limit('body', 'list'), 'too_large'],
  [limit('body', 'ping'), 'answer_too_large'],
  [limit('line', 'handshake'), 'line_too_long'],
  [limit('headers', 'handshake'), 'headers_too_large'],
  [limit('messages', 'auth'), 'too_many_messages'],
  [limit('pages', 'list'), 'list_unbounded'],
  [limit('items', 'list'), 'too_many_items'],
  [limit('depth', 'list'), 'too_deep'],
  [limit('stall', 'ping'), 'stalled'],
  [limit('processes', 'list'), 'too_many_processes'],
  [{ kind: 'spawn', code: 'ENOENT', message }, 'spawn_failed'],
  [{ kind: 'exit', exitCode: 1, signal: null, stderr: '', message }, 'exited'],
  [{ kind: 'closed', phase: 'list', message }, 'closed'],
  [{ kind: 'oauth', message }, 'oauth_failed'],
  [{ kind: 'internal', message }, 'internal'],
];

describe('classify', () => {
  test.each(CASES)('%o means %s', (fault, reason) => {
    expect(reasonOf(fault)).toBe(reason);
    const { verdict, check, suggestion } = REASONS[reason];
    expect(classify(failedWith(fault))).toEqual({ verdict, reason, check, suggestion, message });
  });

  test('a bound that is passed while it lists leaves it degraded, and down before', () => {
    for (const bound of ['headers', 'line', 'messages', 'stall', 'depth'] as const) {
      const [reason] = new Set([reasonOf(limit(bound, 'list')), reasonOf(limit(bound, 'handshake'))]);
      expect(classify(failedWith(limit(bound, 'list')))).toMatchObject({ verdict: 'degraded', reason });
      expect(classify(failedWith(limit(bound, 'handshake')))).toMatchObject({ verdict: 'down', reason });
    }
  });

  test('an answer without a fault is up', () => {
    expect(classify(outcomeOf())).toMatchObject({ verdict: 'up', reason: 'ok', check: 'healthy' });
  });

  test('a failed listing or a bad definition degrades; what is merely not implemented does not', () => {
    const warned = (
      code:
        | 'list_failed'
        | 'invalid_definition'
        | 'too_deep'
        | 'oauth_renewal_failed'
        | 'ping_not_implemented'
        | 'list_not_implemented',
    ) => classify(outcomeOf({ warnings: [{ code, message }] }));
    expect(warned('list_failed')).toMatchObject({ verdict: 'degraded', reason: 'list_failed', message });
    expect(warned('invalid_definition')).toMatchObject({ verdict: 'degraded', reason: 'invalid_definition' });
    expect(warned('too_deep')).toMatchObject({ verdict: 'degraded', reason: 'too_deep' });
    expect(warned('oauth_renewal_failed')).toMatchObject({
      verdict: 'degraded',
      reason: 'oauth_renewal_failed',
    });
    expect(warned('ping_not_implemented').reason).toBe('ok');
    expect(warned('list_not_implemented').reason).toBe('ok');
  });

  const canary = { ok: false, tool: 'search', allowed: true, ms: 3, failure: 'it broke' };
  const degraded = (changes: Partial<ProbeOutcome>) => {
    const { verdict, reason, message: told } = classify(outcomeOf(changes));
    return `${verdict}, ${reason}: ${told}`;
  };

  test('a green listing whose canary failed is degraded, and so is a canary that may not be called', () => {
    expect(degraded({ canary })).toBe('degraded, canary_failed: it broke');
    expect(degraded({ canary: { ...canary, allowed: false } })).toBe('degraded, canary_not_called: it broke');
    expect(classify(outcomeOf({ canary: { ...canary, ok: true, failure: null } })).verdict).toBe('up');
  });

  test('settings that cannot be used are told of a server that is well otherwise, and hide nothing', () => {
    const warnings: ProbeOutcome['warnings'] = [{ code: 'bad_monitor_settings', message }];
    expect(degraded({ warnings })).toBe(`degraded, bad_monitor_settings: ${message}`);
    expect(degraded({ warnings, canary })).toContain('canary_failed');
    expect(degraded({ warnings: [...warnings, { code: 'list_failed', message }] })).toContain('list_failed');
    expect(classify({ ...failedWith(REFUSED), warnings })).toMatchObject({
      verdict: 'down',
      reason: 'refused',
    });
  });

  test('every reason can come about', () => {
    const fromFaults = CASES.map(([fault]) => reasonOf(fault));
    const fromWarnings: Reason[] = [
      'ok',
      'list_failed',
      'invalid_definition',
      'bad_monitor_settings',
      'oauth_renewal_failed',
    ];
    const fromCanary: Reason[] = ['canary_failed', 'canary_not_called'];
    // What one probe's outcome does not tell is decided elsewhere.
    const fromTime: Reason[] = ['waking', 'slow', 'calls_failing', 'monitor_offline'];
    const fromAround: Reason[] = ['maintenance', 'dependency_down', 'dependency_degraded'];
    const fromElsewhere = [...fromCanary, ...fromTime, ...fromAround];
    expect([...new Set([...fromFaults, ...fromWarnings, ...fromElsewhere])].sort()).toEqual(
      [...REASON_CODES].sort(),
    );
  });
});
