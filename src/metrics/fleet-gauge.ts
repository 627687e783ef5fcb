import { Gauge, type Registry } from 'prom-client';

type Labels<L extends string> = Record<L, string>;
export interface Series<L extends string> {
  labels: Labels<L>;
  value: number;
}

/**
 * A gauge whose series are replaced all at once, so that no scrape ever sees half of an update and
 * servers that are gone leave nothing behind. Setting series one by one would take longer as well.
 */
export class FleetGauge<L extends string> extends Gauge<L> {
  private series: Series<L>[] = [];

  constructor(registry: Registry, name: string, help: string, labelNames: readonly L[]) {
    super({ name, help, labelNames: [...labelNames], registers: [registry] });
  }

  replace(series: Series<L>[]): void {
    this.series = series;
  }

  override async get(): ReturnType<Gauge<L>['get']> {
    return { ...(await super.get()), values: this.series };
  }
}
