/** What is to be probed, already free of the database's loose shapes. */

export const TRANSPORTS = ['http', 'sse', 'websocket', 'stdio'] as const;
export type TransportType = (typeof TRANSPORTS)[number];

/** The two protocol eras: with a handshake and sessions, or stateless (`server/discover`). */
export const ERAS = ['handshake', 'stateless'] as const;
export type Era = (typeof ERAS)[number];
/** `auto` negotiates once; an era pins it, and the probe negotiates again when the pin fails. */
export type EraChoice = 'auto' | Era;

/** How a probe proves who it is. Secrets live here for the length of one probe only. */
export type Credentials =
  | { kind: 'none' }
  | { kind: 'headers'; headers: Record<string, string> }
  | {
      kind: 'oauth';
      clientId: string;
      clientSecret: string;
      scope?: string;
      /** The only authorization server that may see the secret; without it, the one the target names. */
      issuer?: string;
      /** Sent besides the token. */
      headers?: Record<string, string>;
    };

/** How a server's certificate is judged, and what proves to it who we are, beside the ordinary rules. */
export interface TlsSettings {
  /** PEM: the authorities to trust in place of Node's own. */
  ca?: string;
  /** PEM: our own certificate and its key. */
  cert?: string;
  key?: string;
  passphrase?: string;
  /** SHA-256 of the certificates that it may show, as hexadecimal digits; empty: any. */
  fingerprints: string[];
  /** Do not verify it. A fingerprint is compared all the same. */
  insecure: boolean;
}

/** Where a server is reached: a URL, or a command that is never given to a shell. */
export type Endpoint =
  | { transport: 'http' | 'sse' | 'websocket'; url: URL }
  | { transport: 'stdio'; command: string; args: string[]; env: Record<string, string>; cwd?: string };

export interface ProbeTarget {
  /** The registry's server id, or what the user typed. */
  id: string;
  name: string;
  endpoint: Endpoint;
  credentials: Credentials;
  tls?: TlsSettings;
  era: EraChoice;
  /** The deadline of the whole probe, in milliseconds. */
  timeoutMs: number;
  /**
   * Set while the credentials are still sealed: gives the target with them, or says why they stay shut.
   * Called within the probe, once it is known that the target may be reached at all.
   */
  reveal?: () => ProbeTarget | BadTarget;
}

/** A row of mcp_server, as far as a probe needs it; the JSON columns may hold anything. */
export interface RegistryServer {
  id: string;
  name: string;
  endpointUrl: string;
  transportType: string;
  authType: string;
  authConfig: unknown;
  settings: unknown;
  /** Sealed credentials open for this tenant alone; missing counts as null. */
  tenantId?: string | null;
  /** What an earlier probe negotiated; null to negotiate again. */
  era?: Era | null;
}

/** A registry row that cannot become a target: a verdict, not a crash. */
export interface BadTarget {
  kind: 'config';
  field: 'endpoint' | 'transport' | 'auth' | 'secret';
  message: string;
}
