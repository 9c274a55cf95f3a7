/** @template T @param {T} config @returns {T} */
export const defineConfig = (config) => config;
