// Lets child processes of tests run our TypeScript as it is, on every supported Node: `node --import`
// this file. Types are stripped by the compiler that the project has anyway; nothing is checked here.
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
