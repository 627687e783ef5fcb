/** What the database side can refuse or fail with; each has a `code` that never changes. */
abstract class DatabaseError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No database answered within the deadline, or it refused us. */
export class DatabaseUnreachableError extends DatabaseError {
  readonly code = 'DATABASE_UNREACHABLE';
}

/** DATABASE_URL is no URL of a PostgreSQL database. */
export class DatabaseUrlError extends DatabaseError {
  readonly code = 'DATABASE_URL_INVALID';
}
