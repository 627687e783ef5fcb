/**
 * Everything between `scheme://` and the last `@` before the host ends. Repetitions are bounded, since the
 * text may come from a target that would like us to search for ever.
 */
const USER_INFO = /([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s"'<>\\/?#]+@/gi;
/** Parameters whose names tell that the value is a key of some sort. */
const SECRET_PARAMETER =
  /([?&](?:[\w.-]{0,40}(?:token|secret|passw(?:or)?d|api[_-]?key|apikey|signature|credential)[\w.-]{0,40}|key|sig|auth|code)=)[^&\s"'<>\\#]+/gi;

/** A text with the credentials of every URL in it removed; the rest is left as it was. */
export function stripCredentials(text: string): string {
  if (!text.includes('://')) return text;
  return text.replace(USER_INFO, '$1').replace(SECRET_PARAMETER, '$1[redacted]');
}

/** The secret parts of a connection URL, encoded and plain, to be registered with the logger. */
export function secretsOfUrl(url: string | null): string[] {
  if (url === null) return [];
  const password = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#]*?:([^\s/?#]*)@/i.exec(url)?.[1];
  if (!password) return [];
  try {
    return [...new Set([password, decodeURIComponent(password)])];
  } catch {
    // Not percent-encoded after all: what stands there is what is used.
    return [password];
  }
}
