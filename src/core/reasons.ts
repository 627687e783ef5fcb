/**
 * Why a verdict is what it is: the closed list. Codes are metric labels and database values, so one
 * is never renamed. `docs/reasons.md` explains each; a test holds the two together.
 */

export const VERDICTS = [
  'up',
  'degraded',
  'down',
  'unauthenticated',
  'waking',
  'unknown',
  'maintenance',
] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What a row of mcp_server_health_check says: a bad answer is unhealthy, no usable answer an error. */
export type CheckStatus = 'healthy' | 'unhealthy' | 'timeout' | 'error';

interface ReasonDefinition {
  verdict: Verdict;
  check: CheckStatus;
  /** What happened, in a few words. */
  title: string;
  /** What the reader can do about it, in one sentence. */
  suggestion: string;
}

const reason = (
  verdict: Verdict,
  check: CheckStatus,
  title: string,
  suggestion: string,
): ReasonDefinition => ({
  verdict,
  check,
  title,
  suggestion,
});

export const REASONS = {
  ok: reason('up', 'healthy', 'answers as it should', 'Nothing to do.'),
  list_failed: reason(
    'degraded',
    'healthy',
    'a listing it advertises failed',
    'Read the server’s log for the failing list request, or stop advertising that capability.',
  ),
  invalid_definition: reason(
    'degraded',
    'healthy',
    'a tool, resource or prompt is defined wrongly',
    'Correct the definition that the details name: strict clients reject the whole list because of it.',
  ),
  canary_failed: reason(
    'degraded',
    'unhealthy',
    'it lists its tools, and the call of one failed',
    'Call the canary’s tool by hand with the arguments of settings.monitor, and read the server’s log.',
  ),
  canary_not_called: reason(
    'degraded',
    'healthy',
    'its canary may not be called',
    'Name a tool that is marked with readOnlyHint, or set canary.allow if calling it does no harm.',
  ),
  calls_failing: reason(
    'degraded',
    'healthy',
    'our probes go well, and real calls fail',
    'Read the log of the server, and the gateway’s usage for which calls fail with 5xx.',
  ),
  bad_monitor_settings: reason(
    'degraded',
    'healthy',
    'a part of its monitoring settings is not usable',
    'Correct settings.monitor; `mcp-vitals servers monitor` checks it before it is stored.',
  ),
  bad_endpoint: reason(
    'down',
    'error',
    'the registered endpoint is not usable',
    'Correct endpoint_url: an http(s) or ws(s) URL, or a command line for stdio.',
  ),
  bad_transport: reason(
    'down',
    'error',
    'the registered transport is not known',
    'Set transport_type to http, sse, websocket or stdio.',
  ),
  bad_auth_config: reason(
    'unknown',
    'error',
    'the registered credentials are malformed',
    'Correct auth_config for the server’s auth_type.',
  ),
  secret_unreadable: reason(
    'unknown',
    'error',
    'the sealed credentials cannot be opened',
    'Give VITALS_SECRET_KEY the key that sealed them, or register the credentials again and seal them.',
  ),
  egress_denied: reason(
    'unknown',
    'error',
    'our own egress policy forbids the address',
    'If the address is meant, add its host or network to VITALS_EGRESS_ALLOW.',
  ),
  command_denied: reason(
    'unknown',
    'error',
    'our own list of commands does not have this one',
    'If the command is meant, add the beginning of its command line to VITALS_STDIO_ALLOW.',
  ),
  dns: reason(
    'down',
    'error',
    'the host name does not resolve',
    'Check the host name, and the DNS that the worker uses.',
  ),
  refused: reason(
    'down',
    'error',
    'the connection was refused',
    'Start the server, or correct its host and port: nothing listens there.',
  ),
  unreachable: reason(
    'down',
    'error',
    'there is no route to the host',
    'Check the network, the firewall and the address of the server.',
  ),
  tls_expired: reason('down', 'error', 'its certificate has expired', 'Renew the certificate.'),
  tls_untrusted: reason(
    'down',
    'error',
    'its certificate is not trusted',
    'Use a certificate of a known authority, send the whole chain, and check that it names this host.',
  ),
  tls_pin_mismatch: reason(
    'down',
    'error',
    'its certificate is not the pinned one',
    'If the server has a new certificate, register its fingerprint; if not, somebody else answers there.',
  ),
  tls_client_certificate: reason(
    'unauthenticated',
    'error',
    'it wants a client certificate',
    'Register cert and key in auth_config.custom.tls; those that it has are missing, wrong or expired.',
  ),
  tls_other: reason(
    'down',
    'error',
    'the TLS handshake failed',
    'Check that the port speaks TLS, and which versions and ciphers it takes.',
  ),
  timeout_connect: reason(
    'down',
    'timeout',
    'no connection before the deadline',
    'Check the network and the firewall: packets are dropped, or the host hangs.',
  ),
  timeout_auth: reason(
    'down',
    'timeout',
    'the authorization server did not answer before the deadline',
    'Check the authorization server that issues this server’s tokens.',
  ),
  timeout_handshake: reason(
    'down',
    'timeout',
    'connected, but no MCP answer before the deadline',
    'Check that the server is not stuck; give slow starters a longer settings.timeout.',
  ),
  timeout_ping: reason(
    'down',
    'timeout',
    'greeted, but no answer to ping before the deadline',
    'The server hangs after its handshake: restart it and read its log.',
  ),
  timeout_list: reason(
    'degraded',
    'timeout',
    'alive, but its listing did not end before the deadline',
    'Make the listing faster or paged, or give it a longer settings.timeout.',
  ),
  unauthenticated: reason(
    'unauthenticated',
    'unhealthy',
    'it wants credentials (401)',
    'Give the registry a valid token for it; the one it has is missing, wrong or expired.',
  ),
  forbidden: reason(
    'unauthenticated',
    'unhealthy',
    'it refuses our credentials (403)',
    'Grant the token the scopes or the role that the server asks for, or allow this worker’s address.',
  ),
  oauth_failed: reason(
    'unauthenticated',
    'unhealthy',
    'no access token could be had',
    'Check the client id, its secret and the scope at the authorization server.',
  ),
  oauth_renewal_failed: reason(
    'degraded',
    'healthy',
    'its access token will expire, and no other can be had',
    'Renew the client secret or its scope at the authorization server before the token expires; the message says when that is.',
  ),
  not_found: reason(
    'down',
    'unhealthy',
    'nothing is at that path (404)',
    'Correct the path in endpoint_url; many servers listen on /mcp or /sse.',
  ),
  method_not_allowed: reason(
    'down',
    'unhealthy',
    'the path takes no MCP requests (405)',
    'Check the path and the transport: this may be an SSE server registered as http, or the other way round.',
  ),
  rate_limited: reason(
    'degraded',
    'unhealthy',
    'it asks us to slow down (429)',
    'Raise the server’s limit for this worker, or its health_check_interval; Retry-After is honoured.',
  ),
  client_error: reason(
    'down',
    'unhealthy',
    'it rejects our requests (4xx)',
    'Read the server’s log for what it did not like.',
  ),
  server_error: reason(
    'down',
    'unhealthy',
    'it fails inside (5xx)',
    'Read the log of the server, or of the proxy before it.',
  ),
  redirect: reason(
    'down',
    'unhealthy',
    'it redirects elsewhere',
    'Register the address it redirects to, if you trust it; credentials are not sent along.',
  ),
  not_mcp: reason(
    'down',
    'unhealthy',
    'something answers that is not MCP',
    'Check the port and the path: another service, a login page or a proxy is there.',
  ),
  protocol_version: reason(
    'down',
    'unhealthy',
    'it speaks no protocol version of ours',
    'Update the server, or this worker when the server is the newer one.',
  ),
  protocol_error: reason(
    'down',
    'unhealthy',
    'its messages break the protocol',
    'Report it to the server’s authors; the message names what was wrong.',
  ),
  rpc_error: reason(
    'down',
    'unhealthy',
    'it answers with an error',
    'Read the server’s log for the error that the message names.',
  ),
  answer_too_large: reason(
    'down',
    'unhealthy',
    'it sends more than we take before it has a listing to send',
    'Check what answers there: a greeting is small, and this may be another service.',
  ),
  too_large: reason(
    'degraded',
    'unhealthy',
    'its listing is more than we take',
    'Make its answers smaller: page the lists, shorten descriptions and schemas.',
  ),
  headers_too_large: reason(
    'down',
    'unhealthy',
    'its response headers are more than we take',
    'Make its response headers smaller: cookies and tracing headers of a proxy are the usual cause.',
  ),
  line_too_long: reason(
    'down',
    'unhealthy',
    'a line or an event of it is longer than we take',
    'Check what writes to its output; a listing that is this long in one piece has to be paged.',
  ),
  too_many_messages: reason(
    'down',
    'unhealthy',
    'it sends more messages than we take',
    'Look for what makes it send notifications, requests or answers without being asked.',
  ),
  too_many_items: reason(
    'degraded',
    'unhealthy',
    'its listing has more entries than we take',
    'Offer fewer tools, resources or prompts: no client can use this many.',
  ),
  too_deep: reason(
    'degraded',
    'unhealthy',
    'what it sends is nested deeper than we take',
    'Flatten the schema that the message names: no client can use one of that depth.',
  ),
  stalled: reason(
    'down',
    'timeout',
    'it stopped in the middle of a message',
    'Read the log of the server, or of the proxy before it: it hung while it was writing.',
  ),
  list_unbounded: reason(
    'degraded',
    'unhealthy',
    'its listing has no end',
    'Correct its paging: the cursor repeats, or never ends.',
  ),
  spawn_failed: reason(
    'down',
    'error',
    'its command could not be started',
    'Install the command, or correct it, its permissions or its working folder.',
  ),
  exited: reason(
    'down',
    'error',
    'its process ended before it answered',
    'Run the command by hand; the last lines of its stderr are in the details.',
  ),
  too_many_processes: reason(
    'down',
    'error',
    'its command starts more processes than it may',
    'Run the command by hand and look at what it starts; raise VITALS_STDIO_MAX_PROCESSES if that is meant.',
  ),
  closed: reason(
    'down',
    'error',
    'it closed the connection in the middle',
    'Read the log of the server, or of the proxy before it.',
  ),
  waking: reason(
    'waking',
    'timeout',
    'it was idle and is starting, as slowly as it has before',
    'Nothing to do; when its first users should not wait, keep it warm.',
  ),
  slow: reason(
    'degraded',
    'healthy',
    'it answers much more slowly than it usually does',
    'Look at what the phase that the message names waits for.',
  ),
  maintenance: reason(
    'maintenance',
    'healthy',
    'it is in maintenance',
    'Nothing to do: it is probed all the same, and what it is by itself shows when the maintenance ends.',
  ),
  dependency_down: reason(
    'down',
    'error',
    'a server that it requires is down',
    'Look at the server that the message names: this one comes back with it.',
  ),
  dependency_degraded: reason(
    'degraded',
    'healthy',
    'a server that it uses is down',
    'Look at the server that the message names; what needs it does not work until it is back.',
  ),
  monitor_offline: reason(
    'unknown',
    'error',
    'the worker itself is cut off',
    'Nothing is known of the server: check the worker’s own network, DNS and load.',
  ),
  internal: reason(
    'unknown',
    'error',
    'the worker itself failed',
    'Nothing is wrong with the server as far as we know: read the worker’s log, and report it.',
  ),
} as const satisfies Record<string, ReasonDefinition>;

export type Reason = keyof typeof REASONS;
export const REASON_CODES = Object.keys(REASONS) as Reason[];
