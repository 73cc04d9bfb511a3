# The first process of the emulated machine: runs the command, passes its exit status to the host and switches the machine off.
export PATH=/usr/local/bin:/usr/bin:/usr/sbin HOME=/root TMPDIR=/tmp LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# As systemd does.
for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
  echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control
done
mount -t tracefs tracefs /sys/kernel/tracing
for name in fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do ln -sf "/proc/self/${name#*:}" "/dev/${name%:*}"; done
ip link set lo up
mount -t 9p -o trans=virtio,version=9p2000.L host /host
stty -onlcr
cd /joulemetry
# Not to a terminal, since tests would print colours.
bash /host/command < /dev/null 2>&1 | cat
echo "${PIPESTATUS[0]}" > /host/status
echo o > /proc/sysrq-trigger
sleep 60
