#!/bin/busybox sh
# Process 1 of the guest: brings up what a Linux machine has, runs the job and switches off.
# What to do comes in /job.env and /job.json, written by the host for this one boot.
export PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root TERM=dumb
/bin/busybox --install -s /bin
mount -t devtmpfs devtmpfs /dev
exec </dev/null >/dev/console 2>&1
. /job.env

mkdir -p /dev/pts /dev/shm /dev/mqueue
ln -sf /proc/self/fd /dev/fd
mount -t sysfs sysfs /sys
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
mount -t mqueue mqueue /dev/mqueue
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t securityfs securityfs /sys/kernel/security
mount -t debugfs debugfs /sys/kernel/debug
chmod 1777 /tmp /dev/shm

# Even a machine that will have no /proc, or a hidden one, starts with a usual one.
mount -t proc proc /proc
hostname guest
ip link set lo up
for module in /modules/*.ko; do
  [ -e "$module" ] && insmod "$module"
done
case "$GUEST_PROC" in
  none) umount /proc ;;
  *) [ -n "$GUEST_PROC" ] && mount -o "remount,$GUEST_PROC" /proc ;;
esac

# As systemd leaves them: the kernel's own hard limit is lower than what suites count up to.
ulimit -Hn 524288
ulimit -Sn 1024

cd /fdmap
node --no-warnings test/kernels/guest/job.mjs /job.json "$GUEST_RESULTS"
echo "job ended with $?"
sync
poweroff -f
