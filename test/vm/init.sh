#!/bin/busybox sh
# The first process of the virtual machine: loads modules, mounts the root of the host, changes to it and starts in-root.sh.
/bin/busybox --install -s /bin
mkdir -p /proc /lower /upper /root
mount -t proc proc /proc
while read -r module; do insmod "/modules/$module"; done < /modules/order
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=262144,cache=loose root /lower
mount -t tmpfs tmpfs /upper
mkdir /upper/files /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work overlay /root
for folder in proc sys dev tmp run; do
  [ "$folder" != tmp ] || mount -t tmpfs tmpfs /root/tmp -o mode=1777
  [ "$folder" != run ] || mount -t tmpfs tmpfs /root/run -o mode=755
done
mount -t proc proc /root/proc
mount -t sysfs sysfs /root/sys
mount -t devtmpfs devtmpfs /root/dev
mkdir -p "/root/lib/modules/$(uname -r)" /root/dev/pts /root/dev/shm
mount -t devpts devpts /root/dev/pts
mount -t tmpfs tmpfs /root/dev/shm -o mode=1777
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=262144,cache=loose modules "/root/lib/modules/$(uname -r)"
mount -t cgroup2 cgroup2 /root/sys/fs/cgroup
mount -t tracefs tracefs /root/sys/kernel/tracing
mount -t securityfs securityfs /root/sys/kernel/security
cp /in-root.sh /command /directory /root/run/
exec switch_root /root /bin/sh /run/in-root.sh
