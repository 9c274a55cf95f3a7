// The smallest proof that this guest can run the product: Node, its native call layer, one call.
import { createRequire } from 'node:module';
import { release } from 'node:os';

const require = createRequire(import.meta.url);
const koffi = require(`@koromix/koffi-linux-${process.arch}`);
const getpid = koffi.load(null).func('int getpid()');
if (getpid() !== process.pid) throw new Error(`getpid() = ${getpid()}, not ${process.pid}`);
console.log(JSON.stringify({ node: process.version, release: release(), pid: getpid() }));
