import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { processDirectory, readFilesSync, readfileat, readfileatInto } from '../../src/calls/readfile.ts';
import { needs } from '../helpers/needs.ts';
import { sleeper } from '../helpers/processes.ts';
import { World } from '../helpers/world.ts';

let folder = '';
const file = (name: string) => join(folder, name);
const pattern = (length: number) => Buffer.from(Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff));

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fdmap-readfile-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const errorOf = (call: () => unknown) => {
  try {
    call();
  } catch (error) {
    const { code, syscall, path, pid } = error as NodeJS.ErrnoException & { pid?: number };
    return { code, syscall, path, pid };
  }
  return 'no error';
};

needs('door').describe('readfileat', () => {
  test.each([0, 1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 300_001, 3_000_000])('%i bytes', (length) => {
    const bytes = pattern(length);
    writeFileSync(file('sized'), bytes);
    expect(readfileat('', file('sized')).equals(bytes)).toBe(true);
  });

  test('any length, any maxBytes: what readFileSync gives, cut', () => {
    const lengths = fc.oneof(fc.nat(200), fc.nat(200_000));
    fc.assert(
      fc.property(lengths, lengths, (length, maxBytes) => {
        const bytes = pattern(length);
        writeFileSync(file('any'), bytes);
        const data = readfileat(folder, 'any', { maxBytes });
        expect(data.equals(bytes.subarray(0, maxBytes))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('no answer is written over by a later one', () => {
    const names = Array.from({ length: 400 }, (_, i) => `small${i}`);
    for (const [i, name] of names.entries()) writeFileSync(file(name), pattern(i * 7));
    const answers = names.map((name) => readfileat(folder, name));
    for (const [i, answer] of answers.entries()) expect(answer.equals(pattern(i * 7))).toBe(true);
  });

  test('a buffer that was transferred away with others in it is not written to', () => {
    writeFileSync(file('moved'), 'moved');
    const { buffer } = readfileat(folder, 'moved');
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
    expect(readfileat(folder, 'moved').toString()).toBe('moved');
  });

  needs('proc').test('files without a size, of one record and of many', () => {
    for (const name of ['/proc/self/stat', '/proc/version', '/proc/self/limits', '/proc/filesystems']) {
      const fields = (text: string) => text.split(/\s+/).slice(0, 3);
      expect(fields(readfileat('/', name).toString())).toEqual(fields(readFileSync(name, 'utf8')));
    }
    // Beyond a page: seq_file hands out a part with each read(2).
    const maps = readfileat('/proc', 'self/maps').toString();
    expect(maps.length).toBeGreaterThan(8192);
    expect(maps).toMatch(/\[stack\]/);
    expect(maps.endsWith('\n')).toBe(true);
  });

  test('a directory by descriptor, by path, and not at all', () => {
    mkdirSync(file('inner'), { recursive: true });
    writeFileSync(file('inner/a'), 'inner a');
    const fd = openSync(file('inner'), constants.O_RDONLY | constants.O_DIRECTORY);
    expect(readfileat(fd, 'a').toString()).toBe('inner a');
    expect(readfileat(file('inner'), 'a').toString()).toBe('inner a');
    expect(readfileat(file('inner'), Buffer.from('a')).toString()).toBe('inner a');
    expect(readfileat(fd, file('inner/a')).toString()).toBe('inner a');
    expect(readfileat('', file('inner/a')).toString()).toBe('inner a');
    closeSync(fd);
    expect(errorOf(() => readfileat(fd, 'a'))).toMatchObject({ code: 'EBADF', syscall: 'open' });
  });

  test('names beyond ASCII, and as bytes that are no text', () => {
    const odd = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe])]);
    writeFileSync(odd, 'bytes');
    writeFileSync(file('日本語 🙂'), 'text');
    expect(readfileat('', odd).toString()).toBe('bytes');
    expect(readfileat(folder, '日本語 🙂').toString()).toBe('text');
  });

  test('into a part of the caller’s array, and nothing beside it', () => {
    writeFileSync(file('eight'), 'abcdefgh');
    const whole = Buffer.alloc(32, '.');
    const target = whole.subarray(4, 12);
    expect(readfileatInto(target, folder, 'eight')).toBe(8);
    expect(readfileatInto(whole.subarray(20, 23), folder, 'eight')).toBe(3);
    expect(readfileatInto(whole.subarray(26), folder, 'eight', { maxBytes: 2 })).toBe(2);
    expect(readfileatInto(whole.subarray(0, 0), folder, 'eight')).toBe(0);
    expect(whole.toString()).toBe('....abcdefgh........abc...ab....');
  });

  test('errors as Node shapes them', () => {
    symlinkSync('nowhere', file('link'));
    const { O_NOFOLLOW } = constants;
    expect(errorOf(() => readfileat(folder, 'nothing'))).toMatchObject({
      code: 'ENOENT',
      syscall: 'open',
      path: 'nothing',
    });
    expect(errorOf(() => readfileat('/', folder))).toMatchObject({ code: 'EISDIR', syscall: 'read' });
    expect(errorOf(() => readfileat(folder, 'link', { flags: O_NOFOLLOW }))).toMatchObject({ code: 'ELOOP' });
    expect(errorOf(() => readfileat('', ''))).toMatchObject({ code: 'ENOENT' });
    expect(errorOf(() => readfileat('', 'x'.repeat(4096)))).toMatchObject({ code: 'ENAMETOOLONG' });
    expect(errorOf(() => readfileat('', '日'.repeat(1400)))).toMatchObject({ code: 'ENAMETOOLONG' });
    expect(errorOf(() => readfileat('', Buffer.alloc(5000, 'x')))).toMatchObject({ code: 'ENAMETOOLONG' });
  });

  test('arguments that no kernel is asked about', () => {
    const refused = { code: 'EINVAL', syscall: 'readfileat' };
    const { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC } = constants;
    for (const flags of [O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, 0.5]) {
      expect(errorOf(() => readfileat(folder, 'sized', { flags }))).toMatchObject(refused);
    }
    expect(errorOf(() => readfileat(folder, 'a\0b'))).toMatchObject(refused);
    expect(errorOf(() => readfileat(`${folder}\0`, 'a'))).toMatchObject(refused);
    expect(errorOf(() => readfileat(folder, Buffer.from([97, 0])))).toMatchObject(refused);
    expect(errorOf(() => readfileat(-100, 'a'))).toMatchObject(refused);
    expect(errorOf(() => readfileat(folder, 5 as never))).toMatchObject(refused);
    expect(errorOf(() => readfileat(folder, 'a', { maxBytes: -1 }))).toMatchObject(refused);
    expect(errorOf(() => readfileatInto('x' as never, folder, 'a'))).toMatchObject(refused);
    const shared = new Uint8Array(new SharedArrayBuffer(8));
    expect(errorOf(() => readfileatInto(shared, folder, 'a'))).toMatchObject(refused);
  });

  test('a batch: in its order, each with its data or its error', () => {
    writeFileSync(file('one'), '1');
    writeFileSync(file('two'), '22');
    const results = readFilesSync(new Set(['two', 'none', 'one', '.']), { directory: folder });
    expect(
      results.map(({ path, data, error }) => [path, data?.toString(), error?.code, error?.syscall]),
    ).toEqual([
      ['two', '22', undefined, undefined],
      ['none', undefined, 'ENOENT', 'open'],
      ['one', '1', undefined, undefined],
      ['.', undefined, 'EISDIR', 'read'],
    ]);
  });
});

needs('door', 'proc').describe('processDirectory', () => {
  test('reads its process, and nothing once that has gone', async () => {
    const child = await sleeper();
    const directory = processDirectory(child.pid);
    expect(directory.pid).toBe(child.pid);
    expect(directory.exists).toBe(true);
    expect(directory.read('comm').toString()).toBe('sleep\n');
    expect(readfileat(directory, 'stat').toString()).toMatch(new RegExp(`^${child.pid} \\(sleep\\) `));
    const target = Buffer.alloc(8);
    expect(directory.readInto(target, 'comm')).toBe(6);
    const [comm, none] = readFilesSync(['comm', 'nothing'], { directory });
    expect(comm?.data?.toString()).toBe('sleep\n');
    expect(none?.error).toMatchObject({ code: 'ENOENT', pid: child.pid });
    await child.end();
    expect(directory.exists).toBe(false);
    expect(errorOf(() => directory.read('comm'))).toEqual({
      code: 'ESRCH',
      syscall: 'open',
      path: 'comm',
      pid: child.pid,
    });
    directory.close();
    directory.close();
    expect(errorOf(() => directory.read('comm'))).toMatchObject({ code: 'ERR_FDMAP_CLOSED' });
  });

  test('cannot be left by name', () => {
    const directory = processDirectory(0);
    for (const path of ['/proc/1/stat', '..', '../1/stat', 'task/../../1/stat', 'fd/..']) {
      expect(errorOf(() => directory.read(path))).toMatchObject({ code: 'EINVAL' });
      expect(errorOf(() => directory.read(Buffer.from(path)))).toMatchObject({ code: 'EINVAL' });
    }
    expect(directory.read(`task/${process.pid}/comm`).length).toBeGreaterThan(0);
    directory.close();
  });

  test('no such process', () => {
    for (const pid of [-1, 0x7fff_fffe]) {
      expect(errorOf(() => processDirectory(pid))).toMatchObject({ code: 'ESRCH', pid });
    }
    expect(errorOf(() => processDirectory(1.5))).toMatchObject({ code: 'EINVAL' });
  });

  needs('unshare').test('another process that has the number by then is not read', async () => {
    const world = await World.start({ wrap: ['unshare', '-p', '-f', '--mount-proc'] });
    const result = await world.run(async ({ api, childProcess, fs, outcome }) => {
      const { processDirectory } = await api();
      const start = () => childProcess.spawn('sleep', ['1000'], { stdio: 'ignore' });
      const end = (child: ReturnType<typeof start>) =>
        new Promise((resolve) => {
          child.once('exit', resolve);
          child.kill('SIGKILL');
        });
      const first = start();
      const directory = processDirectory(first.pid!);
      await end(first);
      fs.writeFileSync('/proc/sys/kernel/ns_last_pid', String(first.pid! - 1));
      const second = start();
      const same = first.pid === second.pid;
      const byName = fs.readFileSync(`/proc/${first.pid}/comm`, 'utf8');
      const byHandle = outcome(() => directory.read('comm').toString());
      await end(second);
      return { same, byName: byName.length > 0, code: byHandle.code };
    });
    expect(result).toEqual({ same: true, byName: true, code: 'ESRCH' });
  });
});

needs('door', 'proc').describe('readFiles', () => {
  test('what readFilesSync gives, in many messages', async () => {
    for (let i = 0; i < 50; i++) writeFileSync(file(`batch${i}`), pattern(i * 100));
    const paths = Array.from({ length: 2500 }, (_, i) => (i % 7 === 3 ? 'absent' : `batch${i % 50}`));
    const world = await World.start();
    const differences = await world.run(
      async ({ api }, { folder, paths }) => {
        const { readFiles, readFilesSync } = await api();
        const options = { directory: folder, maxBytes: 3000 };
        const expected = readFilesSync([...paths, '.', Buffer.from('batch9')], options);
        const results = await readFiles([...paths, '.', Buffer.from('batch9')], options);
        const text = (all: typeof expected) =>
          all.map(
            ({ path, data, error }) => `${path} ${data?.toString('hex')} ${error?.message} ${error?.errno}`,
          );
        const sync = text(expected);
        return (
          text(results).filter((line, i) => line !== sync[i]).length + Math.abs(results.length - sync.length)
        );
      },
      { folder, paths },
    );
    expect(differences).toBe(0);
  });

  test('the loop is free while a file keeps the thread waiting, and an abort is heard', async () => {
    const world = await World.start();
    const result = await world.run(async ({ api, childProcess, fs }, fifo) => {
      const { readFiles } = await api();
      childProcess.spawnSync('mkfifo', [fifo]);
      const controller = new AbortController();
      const pending = readFiles([fifo], { signal: controller.signal });
      await new Promise((resolve) => setTimeout(resolve, 50));
      controller.abort();
      const aborted = await pending.catch((error: Error) => error.name);
      const behind = readFiles(['/proc/self/comm', '/nowhere']);
      // The thread is still in open(2): now it goes on.
      fs.writeFileSync(fifo, '');
      const [comm, nowhere] = await behind;
      const early = await readFiles([], { signal: controller.signal });
      const never = await readFiles(['/'], { signal: controller.signal }).catch((error: Error) => error.name);
      return { aborted, comm: comm?.data?.length !== 0, code: nowhere?.error?.code, early, never };
    }, file('fifo'));
    expect(result).toEqual({
      aborted: 'AbortError',
      comm: true,
      code: 'ENOENT',
      early: [],
      never: 'AbortError',
    });
  });

  test('a directory that is closed while the thread reads is the one that was meant', async () => {
    writeFileSync(file('in-it'), 'content');
    const world = await World.start();
    const result = await world.run(
      async ({ api, childProcess, fs }, { folder, fifo }) => {
        const { readFiles, processDirectory } = await api();
        childProcess.spawnSync('mkfifo', [fifo]);
        const child = childProcess.spawn('sleep', ['60'], { stdio: 'ignore' });
        await new Promise((resolve) => child.once('spawn', resolve));
        // The pipe keeps the thread in read(2), as long as somebody could write: what is asked behind it waits.
        const kept = fs.openSync(fifo, 'r+');
        const pipe = readFiles([fifo]);
        const link = fs.realpathSync(fifo);
        const holders = () =>
          fs.readdirSync('/proc/self/fd').filter((fd) => {
            const path = `/proc/self/fd/${fd}`;
            return fs.existsSync(path) && fs.readlinkSync(path) === link;
          });
        // From there on the thread, which opens descriptors while it starts, takes no number.
        while (holders().length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
        const held = fs.openSync(folder, 'r');
        const own = processDirectory(child.pid as number);
        const number = own.fd;
        const files = readFiles(['in-it'], { directory: held });
        const status = readFiles(['comm', 'nothing'], { directory: own });
        fs.closeSync(held);
        own.close();
        // Whoever opens next has those numbers.
        const taken = [fs.openSync('/', 'r'), fs.openSync('/proc/self', 'r')];
        fs.closeSync(kept);
        const [[inIt], [comm, nothing]] = await Promise.all([files, status, pipe]);
        child.kill('SIGKILL');
        for (const fd of taken) fs.closeSync(fd);
        const links = fs.readdirSync('/proc/self/fd').map((fd) => {
          const link = `/proc/self/fd/${fd}`;
          return fs.existsSync(link) ? fs.readlinkSync(link) : '';
        });
        return {
          taken: taken.sort().join() === [held, number].sort().join(),
          inIt: inIt?.data?.toString(),
          comm: comm?.data?.toString(),
          nothing: nothing?.error?.code,
          leaks: links.filter((link) => link === folder || /^\/proc\/\d+$/.test(link)),
        };
      },
      { folder, fifo: file('kept') },
    );
    expect(result).toEqual({ taken: true, inIt: 'content', comm: 'sleep\n', nothing: 'ENOENT', leaks: [] });
  });

  test('the thread keeps no process alive, and bad arguments reject', async () => {
    const world = await World.start();
    const result = await world.run(async ({ childProcess }) => {
      const { execPath, argv } = process;
      const dist = new URL('../../../dist/index.js', `file://${argv[1]}`).href;
      const code = `
        import { readFiles } from ${JSON.stringify(dist)};
        const [{ data }] = await readFiles(['/proc/self/comm']);
        const error = await readFiles(['a\\0b']).catch((error) => error);
        process.stdout.write(data.length > 0 ? error.code : 'nothing');`;
      const child = childProcess.spawnSync(execPath, ['--input-type=module', '-e', code], {
        encoding: 'utf8',
        timeout: 20_000,
      });
      return { out: child.stdout, status: child.status, stderr: child.stderr };
    });
    expect(result).toEqual({ out: 'EINVAL', status: 0, stderr: '' });
  });
});
