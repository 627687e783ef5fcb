/** Something wrong with a value, and where in it. */
export interface Problem {
  path: (string | number)[];
  message: string;
}

/** More would help nobody, and a hostile value could have millions. */
const MAX_PROBLEMS = 20;
const MAX_NAME_LENGTH = 60;

/** `value` where it is an object and no array. */
export function asObject(value: unknown): Record<string, unknown> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return value as Record<string, unknown>;
}

/** `budget.probesPerDay`, `expect.jsonPath[0].path`. */
export function pathText(path: Problem['path']): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** Reads the members of one object, each as what it has to be; what is not becomes a problem and null. */
export class Reader {
  readonly #object: Record<string, unknown>;
  readonly #path: Problem['path'];
  readonly #problems: Problem[];

  private constructor(object: Record<string, unknown>, path: Problem['path'], problems: Problem[]) {
    this.#object = object;
    this.#path = path;
    this.#problems = problems;
  }

  static open(value: unknown, path: Problem['path'], problems: Problem[]): Reader | null {
    const object = asObject(value);
    if (object) return new Reader(object, path, problems);
    if (problems.length < MAX_PROBLEMS) problems.push({ path, message: 'is no object' });
    return null;
  }

  /** How many problems there are so far, over all readers that share the list. */
  get problemCount(): number {
    return this.#problems.length;
  }

  /** Names every member that is none of these. */
  known(names: readonly string[]): void {
    for (const name of Object.keys(this.#object)) {
      if (!names.includes(name)) {
        this.problem(name.slice(0, MAX_NAME_LENGTH), `is not known; known are ${names.join(', ')}`);
      }
    }
  }

  problem(name: string | number, message: string): void {
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ path: [...this.#path, name], message });
  }

  /** Only what is a member of its own: `toString` is not. */
  value(name: string): unknown {
    return Object.hasOwn(this.#object, name) ? this.#object[name] : undefined;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name);
  }

  child(name: string): Reader | null {
    const value = this.value(name);
    if (value === undefined || value === null) return null;
    return Reader.open(value, [...this.#path, name], this.#problems);
  }

  /** One reader for each entry of an array that are objects. */
  children(name: string, max: number): Reader[] {
    const value = this.value(name);
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value) || value.length > max) {
      this.problem(name, `is no array of at most ${max} entries`);
      return [];
    }
    const path = [...this.#path, name];
    const readers = value.map((entry, index) => Reader.open(entry, [...path, index], this.#problems));
    return readers.filter((reader) => reader !== null);
  }

  integer(name: string, min: number, max: number): number | null {
    const value = this.value(name);
    if (value === undefined || value === null) return null;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    this.problem(name, `is no whole number from ${min} to ${max}`);
    return null;
  }

  flag(name: string): boolean | null {
    const value = this.value(name);
    if (value === undefined || value === null || typeof value === 'boolean') return value ?? null;
    this.problem(name, 'is neither true nor false');
    return null;
  }

  text(name: string, maxLength: number): string | null {
    const value = this.value(name);
    if (value === undefined || value === null) return null;
    if (typeof value === 'string' && value !== '' && value.length <= maxLength) return value;
    this.problem(name, `is no text of 1 to ${maxLength} characters`);
    return null;
  }
}
