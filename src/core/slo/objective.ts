/** A server's own objective, from the registry's settings (`monitor.slo.objective`); null where it has none. */
export function objectiveOf(settings: unknown): number | null {
  const found = ['monitor', 'slo', 'objective'].reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && key in value
        ? (value as Record<string, unknown>)[key]
        : undefined,
    settings,
  );
  return typeof found === 'number' && found > 0 && found < 1 ? found : null;
}
