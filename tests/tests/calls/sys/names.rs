//! What other systems of this kind can stop, by name: every one of these has a
//! row, stands behind one, or is an exception with its reason.

/// POSIX.1: "required to be cancelation points". pthreads(7), "Cancellation
/// points", Linux man-pages 6.03.
pub(super) const POSIX: &str = "\
    accept aio_suspend clock_nanosleep close connect creat fcntl fdatasync fsync getmsg \
    getpmsg lockf mq_receive mq_send mq_timedreceive mq_timedsend msgrcv msgsnd msync \
    nanosleep open openat pause poll pread pselect pthread_cond_timedwait \
    pthread_cond_wait pthread_join pthread_testcancel putmsg putpmsg pwrite read readv \
    recv recvfrom recvmsg select sem_timedwait sem_wait send sendmsg sendto sigpause \
    sigsuspend sigtimedwait sigwait sigwaitinfo sleep system tcdrain usleep wait waitid \
    waitpid write writev";

/// glibc on Linux: the functions that make their system call by
/// `SYSCALL_CANCEL`. glibc 2.42.9000 (commit 04e750e75b73), the files of
/// `sysdeps/unix/sysv/linux` that name it; those with a `64` for another width
/// of the same function are left out.
pub(super) const GLIBC: &str = "\
    accept accept4 clock_nanosleep close connect copy_file_range creat epoll_pwait \
    epoll_pwait2 epoll_wait fallocate fcntl fdatasync fsync getrandom mq_timedreceive \
    mq_timedsend msgrcv msgsnd msync open open_by_handle_at openat openat2 pause poll \
    ppoll pread preadv preadv2 pselect pwrite pwritev pwritev2 read readv recv recvfrom \
    recvmmsg recvmsg select send sendmmsg sendmsg sendto sigsuspend sigtimedwait splice \
    sync_file_range tcdrain tee vmsplice wait4 waitid write writev";

/// glibc, the same commit: what is made of those, and what waits in a futex by
/// `__futex_abstimed_wait_cancelable64`, beyond what POSIX requires.
pub(super) const GLIBC_BUILT: &str = "\
    cnd_timedwait cnd_wait eventfd_read eventfd_write gai_suspend pthread_clockjoin_np \
    pthread_cond_clockwait pthread_timedjoin_np sem_clockwait thrd_join thrd_sleep wait3";

/// The wrappers of github.com/sargarass/isc (commit d595024e3d5f),
/// `include/isc/isc.h`: 49 names.
pub(super) const ISC: &str = "\
    accept accept4 clock_nanosleep close connect creat fcntl fdatasync lockf mq_receive \
    mq_send mq_timedreceive mq_timedsend msgrcv msgsnd msync nanosleep open openat pause \
    poll pread pwrite read readv recv recvfrom recvmsg select send sendmsg sendto \
    sigpause sigsuspend sigtimedwait sigwait sigwaitinfo sleep sync syscall tcdrain \
    usleep wait wait3 wait4 waitid waitpid write writev";

/// Blocking calls of Linux that are on none of these lists.
pub(super) const LINUX: &str = "\
    flock futex futex_waitv io_uring_enter ioctl semop semtimedop sendfile syncfs";

/// POSIX.1: "may be cancelation points". As [`POSIX`].
pub(super) const POSIX_MAY: &str = "\
    access asctime asctime_r catclose catgets catopen chmod chown closedir closelog \
    ctermid ctime ctime_r dbm_close dbm_delete dbm_fetch dbm_nextkey dbm_open dbm_store \
    dlclose dlopen dprintf endgrent endhostent endnetent endprotoent endpwent endservent \
    endutxent faccessat fchmod fchmodat fchown fchownat fclose fcntl fflush fgetc \
    fgetpos fgets fgetwc fgetws fmtmsg fopen fpathconf fprintf fputc fputs fputwc fputws \
    fread freopen fscanf fseek fseeko fsetpos fstat fstatat ftell ftello ftw futimens \
    fwprintf fwrite fwscanf getaddrinfo getc getc_unlocked getchar getchar_unlocked \
    getcwd getdate getdelim getgrent getgrgid getgrgid_r getgrnam getgrnam_r \
    gethostbyaddr gethostbyname gethostent gethostid gethostname getline getlogin \
    getlogin_r getnameinfo getnetbyaddr getnetbyname getnetent getopt getprotobyname \
    getprotobynumber getprotoent getpwent getpwnam getpwnam_r getpwuid getpwuid_r gets \
    getservbyname getservbyport getservent getutxent getutxid getutxline getwc getwchar \
    getwd glob iconv_close iconv_open ioctl link linkat lio_listio localtime localtime_r \
    lockf lseek lstat mkdir mkdirat mkdtemp mkfifo mkfifoat mknod mknodat mkstemp mktime \
    nftw opendir openlog pathconf pclose perror popen posix_fadvise posix_fallocate \
    posix_madvise posix_openpt posix_spawn posix_spawnp posix_trace_clear \
    posix_trace_close posix_trace_create posix_trace_create_withlog \
    posix_trace_eventtypelist_getnext_id posix_trace_eventtypelist_rewind \
    posix_trace_flush posix_trace_get_attr posix_trace_get_filter posix_trace_get_status \
    posix_trace_getnext_event posix_trace_open posix_trace_rewind posix_trace_set_filter \
    posix_trace_shutdown posix_trace_timedgetnext_event posix_typed_mem_open printf \
    psiginfo psignal pthread_rwlock_rdlock pthread_rwlock_timedrdlock \
    pthread_rwlock_timedwrlock pthread_rwlock_wrlock putc putc_unlocked putchar \
    putchar_unlocked puts pututxline putwc putwchar readdir readdir_r readlink \
    readlinkat remove rename renameat rewind rewinddir scandir scanf seekdir semop \
    setgrent sethostent setnetent setprotoent setpwent setservent setutxent sigpause \
    stat strerror strerror_r strftime symlink symlinkat sync syslog tmpfile tmpnam \
    ttyname ttyname_r tzset ungetc ungetwc unlink unlinkat utime utimensat utimes \
    vdprintf vfprintf vfwprintf vprintf vwprintf wcsftime wordexp wprintf wscanf";

/// Names without a row, and why.
pub(super) const EXCEPTIONS: &[(&str, &str)] = &[
    ("close", "never stop-checked: also where it fails the descriptor is closed"),
    ("getmsg getpmsg putmsg putpmsg", "STREAMS, which Linux has never had"),
    (
        "pthread_clockjoin_np pthread_timedjoin_np",
        "joining for a time: `join_timeout`, which waits no longer than it is told",
    ),
    ("gai_suspend", "name resolution, as getaddrinfo below"),
    (
        "dprintf fclose fflush fgetc fgetpos fgets fgetwc fgetws fmtmsg fopen fprintf fputc \
         fputs fputwc fputws fread freopen fscanf fseek fseeko fsetpos ftell \
         ftello fwprintf fwrite fwscanf getc getc_unlocked getchar \
         getchar_unlocked getdelim getline getopt gets getwc getwchar perror \
         printf psiginfo psignal putc putc_unlocked putchar putchar_unlocked puts \
         putwc putwchar rewind scanf tmpfile ungetc ungetwc vdprintf vfprintf \
         vfwprintf vprintf vwprintf wprintf wscanf",
        "stdio: compound calls on buffers and locks of libc's own; Rust has std::io, whose calls have their variants",
    ),
    (
        "getaddrinfo gethostbyaddr gethostbyname getnameinfo",
        "name resolution: many calls in libraries that libc loads; not stop-checked, as docs/limits.md says",
    ),
    (
        "endgrent endhostent endnetent endprotoent endpwent endservent endutxent getgrent \
         getgrgid getgrgid_r getgrnam getgrnam_r gethostent gethostid gethostname \
         getlogin getlogin_r getnetbyaddr getnetbyname getnetent getprotobyname \
         getprotobynumber getprotoent getpwent getpwnam getpwnam_r getpwuid \
         getpwuid_r getservbyname getservbyport getservent getutxent getutxid \
         getutxline pututxline setgrent sethostent setnetent setprotoent setpwent \
         setservent setutxent",
        "look-ups in the system's databases, which are files or name resolution",
    ),
    (
        "access chmod chown closedir ctermid faccessat fchmod fchmodat fchown fchownat \
         fpathconf fstat fstatat ftw futimens getcwd getwd glob link linkat lseek \
         lstat mkdir mkdirat mkdtemp mkfifo mkfifoat mknod mknodat mkstemp nftw \
         opendir pathconf posix_fadvise posix_fallocate posix_madvise posix_openpt \
         readdir readdir_r readlink readlinkat remove rename renameat rewinddir \
         scandir seekdir stat symlink symlinkat tmpnam ttyname ttyname_r unlink \
         unlinkat utime utimensat utimes",
        "the file system's names and attributes: they wait for the disk, and glibc does not cancel them",
    ),
    (
        "asctime asctime_r catclose catgets catopen ctime ctime_r dlclose dlopen getdate \
         iconv_close iconv_open localtime localtime_r mktime strerror strerror_r \
         strftime tzset wcsftime wordexp",
        "time, locales, messages and libraries: computation, and files that libc reads for itself",
    ),
    (
        "closelog openlog syslog",
        "the system log: libc's connection to it, behind a lock of its own",
    ),
    (
        "pclose popen posix_spawn posix_spawnp",
        "starting children: nothing to wait for, or the pipe and the child that std's Command has",
    ),
    (
        "pthread_rwlock_timedrdlock pthread_rwlock_timedwrlock",
        "locking for a time: sync::RwLock, as std's, has no such call",
    ),
    ("lio_listio", "asynchronous requests: LIO_NOWAIT, then aio_suspend"),
    (
        "dbm_close dbm_delete dbm_fetch dbm_nextkey dbm_open dbm_store posix_trace_clear \
         posix_trace_close posix_trace_create posix_trace_create_withlog \
         posix_trace_eventtypelist_getnext_id posix_trace_eventtypelist_rewind \
         posix_trace_flush posix_trace_get_attr posix_trace_get_filter \
         posix_trace_get_status posix_trace_getnext_event posix_trace_open \
         posix_trace_rewind posix_trace_set_filter posix_trace_shutdown \
         posix_trace_timedgetnext_event posix_typed_mem_open",
        "not on Linux: databases, tracing, typed memory",
    ),
];
