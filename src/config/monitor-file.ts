import { z } from 'zod';
import { parseMonitor } from '../core/monitor/monitor-settings.ts';
import { parseYaml } from './yaml-file.ts';

/** The rules are those of core, so that what is stored here is what the worker takes. */
const monitorSchema = z.unknown().superRefine((value, context) => {
  for (const { path, message } of parseMonitor(value).problems) {
    context.addIssue({ code: 'custom', path, message });
  }
});

/**
 * The monitoring settings of a file's text (JSON or YAML), to be stored as settings.monitor. Throws
 * FileError with every problem and its line.
 */
export function parseMonitorFile(name: string, text: string): unknown {
  return parseYaml(name, text, monitorSchema);
}
