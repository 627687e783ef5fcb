import fc from 'fast-check';

/** In CI properties are tried from one seed: what fails there fails because of the change. Elsewhere from a new one each time. */
if (process.env.CI) fc.configureGlobal({ seed: 20_261_127 });
