import type { ChildProcess } from 'node:child_process';

/** Sends a message to a process of a bench, and resolves with its answer; rejects when it ends instead. */
export function ask<T>(child: ChildProcess, message: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const onEnd = (code: number | null) => reject(new Error(`a process of the bench ended with ${code}`));
    child.once('exit', onEnd);
    child.once('message', (answer) => {
      child.off('exit', onEnd);
      resolve(answer as T);
    });
    child.send(message);
  });
}
