/** What a server shares with others that may fail together with it; null where it has none, or it is not known. */
export interface SharedParts {
  /** The host name, without a port; on loopback with it, as a local fleet is many servers on one machine. */
  host: string | null;
  /** The registered domain: the part of the name that is bought. */
  domain: string | null;
  /** The organisation that issued its certificate. */
  certificateIssuer: string | null;
  /** The authorization server that issues its tokens. */
  tokenIssuer: string | null;
}
