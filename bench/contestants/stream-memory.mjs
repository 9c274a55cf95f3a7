// Prints how many descriptors fdinfoStream() gave and the most memory of this process, in KiB, while it did.

import { fdinfoStream } from '../../dist/index.js';

let count = 0;
for await (const batch of fdinfoStream()) for (const row of batch) if (row.path !== '') count++;
console.log(`${count} ${process.resourceUsage().maxRSS}`);
