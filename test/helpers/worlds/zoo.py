"""One descriptor of every kind that this machine has. Prints a line of JSON: by name, its
number and what was made; then waits. In a directory of its own, the first argument."""

import ctypes, fcntl, json, mmap, os, select, signal, socket, struct, sys, time

directory = sys.argv[1]
os.chdir(directory)
libc = ctypes.CDLL(None, use_errno=True)
zoo = {}
keep = []


def syscall(number, *arguments):
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def put(name, fd, **facts):
    zoo[name] = dict(fd=fd, **facts)
    return fd


def attempt(name, make):
    """What the kernel, or the rights here, do not allow is not in the zoo, with the reason."""
    try:
        make()
    except OSError as error:
        zoo[name] = dict(missing=error.strerror)


def file(name, flags, mode=0o640):
    return os.open(name, flags, mode)


fd = put('file', file('regular', os.O_RDWR | os.O_CREAT | os.O_APPEND), size=11, path=directory + '/regular')
os.write(fd, b'hello world')
os.lseek(fd, 4, os.SEEK_SET)
put('dup', os.dup(fd))
os.set_inheritable(zoo['dup']['fd'], True)
locked = put('locked', file('locked', os.O_RDWR | os.O_CREAT))
fcntl.lockf(locked, fcntl.LOCK_EX, 10, 5)
flocked = put('flocked', file('flocked', os.O_RDWR | os.O_CREAT))
fcntl.flock(flocked, fcntl.LOCK_SH)
put('deleted', file('gone', os.O_WRONLY | os.O_CREAT), path=directory + '/gone')
os.unlink('gone')
put('fake', file('real (deleted)', os.O_WRONLY | os.O_CREAT), path=directory + '/real (deleted)')
odd = b'line\nbreak \x1b[31m \xff\xfe.txt'
put('odd', os.open(odd, os.O_RDONLY | os.O_CREAT, 0o600), hex=(os.fsencode(directory) + b'/' + odd).hex())
put('dir', os.open('.', os.O_RDONLY | os.O_DIRECTORY), path=directory)
os.symlink('nowhere', 'link')
put('symlink', os.open('link', os.O_PATH | os.O_NOFOLLOW), path=directory + '/link')
put('char', os.open('/dev/null', os.O_WRONLY), path='/dev/null', rdev='1:3')
master, slave = os.openpty()
put('master', master, pty=int(os.ttyname(slave).rsplit('/', 1)[1]))
put('slave', slave, pty=zoo['master']['pty'])

r, w = os.pipe2(os.O_NONBLOCK)
os.write(w, b'12345')
put('pipe-read', r, queued=5, capacity=fcntl.fcntl(r, 1032))
put('pipe-write', w)
os.mkfifo('fifo')
put('fifo', os.open('fifo', os.O_RDWR), path=directory + '/fifo')

listener = socket.create_server(('127.0.0.1', 0))
port = listener.getsockname()[1]
put('tcp-listen', listener.fileno(), port=port)
client = socket.create_connection(('127.0.0.1', port))
server, _ = listener.accept()
client.sendall(b'x' * 7)
time.sleep(0.05)
put('tcp-client', client.fileno(), port=client.getsockname()[1], peer=port)
put('tcp-server', server.fileno(), queued=7)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(('127.0.0.1', 0))
put('udp', udp.fileno(), port=udp.getsockname()[1])
keep += [listener, client, server, udp]


def six():
    tcp6 = socket.create_server(('::1', 0), family=socket.AF_INET6)
    keep.append(tcp6)
    put('tcp6', tcp6.fileno(), port=tcp6.getsockname()[1])


def raw():
    each = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    keep.append(each)
    put('raw', each.fileno())


def udplite():
    each = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 136)
    each.bind(('127.0.0.1', 0))
    keep.append(each)
    put('udplite', each.fileno(), port=each.getsockname()[1])


def packet():
    each = socket.socket(17, socket.SOCK_RAW, socket.htons(3))
    keep.append(each)
    put('packet', each.fileno(), protocol=3)


def vsock():
    each = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    keep.append(each)
    each.bind((socket.VMADDR_CID_ANY, 54321))
    put('vsock', each.fileno(), port=54321)


for name, make in dict(tcp6=six, raw=raw, udplite=udplite, packet=packet, vsock=vsock).items():
    attempt(name, make)

left, right = socket.socketpair()
put('unix-left', left.fileno())
put('unix-right', right.fileno(), inode=os.fstat(right.fileno()).st_ino)
bound = socket.socket(socket.AF_UNIX)
bound.bind(directory + '/socket')
bound.listen(3)
put('unix-path', bound.fileno(), path=directory + '/socket')
abstract = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
abstract.bind('\0fdmap zoo %d' % os.getpid())
put('unix-abstract', abstract.fileno(), abstract='fdmap zoo %d' % os.getpid())
route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
route.bind((0, 1))
put('netlink', route.fileno(), portId=route.getsockname()[0])
keep += [left, right, bound, abstract, route]

event = put('eventfd', libc.eventfd(5, 1 | 0o2000000), count=5)
poll = select.epoll()
poll.register(event, select.EPOLLIN | select.EPOLLET)
poll.register(r, select.EPOLLIN)
put('epoll', poll.fileno(), targets=[event, r])
keep.append(poll)
timer = libc.timerfd_create(1, 0)
libc.timerfd_settime(timer, 0, struct.pack('4q', 7, 250000000, 3600, 0), None)
put('timerfd', timer)
put('timerfd-idle', libc.timerfd_create(0, 0))
mask = struct.pack('Q', 1 << (signal.SIGUSR1 - 1) | 1 << (signal.SIGTERM - 1))
put('signalfd', syscall(289, -1, mask, 8, 0))
watch = libc.inotify_init1(0)
put('inotify', watch, wd=libc.inotify_add_watch(watch, b'.', 0x300), inode=os.stat('.').st_ino)
memory = os.memfd_create('zoo memory', os.MFD_ALLOW_SEALING)
os.ftruncate(memory, 4096)
fcntl.fcntl(memory, 1033, 0x2 | 0x4)
put('memfd', memory, size=4096)
put('pidfd', os.pidfd_open(os.getpid()), pid=os.getpid())
put('namespace', os.open('/proc/self/ns/net', os.O_RDONLY), inode=os.stat('/proc/self/ns/net').st_ino)


def fanotify():
    group = syscall(300, 0x200, 0)
    keep.append(group)
    put('fanotify', group)


def io_uring():
    put('io_uring', syscall(425, 8, ctypes.create_string_buffer(120)))


def userfaultfd():
    put('userfaultfd', syscall(323, 1))


def perf():
    attributes = struct.pack('IIQ', 1, 112, 0) + bytes(96)
    put('perf', syscall(298, attributes, 0, -1, -1, 0), config=0)


def mqueue():
    attributes = struct.pack('4q32x', 0, 4, 64, 0)
    queue = syscall(240, b'fdmap-zoo-%d' % os.getpid(), os.O_RDWR | os.O_CREAT, 0o600, attributes)
    syscall(241, b'fdmap-zoo-%d' % os.getpid())
    syscall(242, queue, b'abc', 3, 0, None)
    put('mqueue', queue)


def landlock():
    put('landlock', syscall(444, struct.pack('Q', 1), 8, 0))


special = dict(fanotify=fanotify, io_uring=io_uring, userfaultfd=userfaultfd, perf=perf, mqueue=mqueue, landlock=landlock)
if os.uname().machine == 'x86_64':
    for name, make in special.items():
        attempt(name, make)

print(json.dumps(zoo), flush=True)
sys.stdin.read()
