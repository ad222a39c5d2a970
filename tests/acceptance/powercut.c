/* Records, in order, what a process does to the files below one directory: the input of power_cut.py.
 *
 * Preloaded with LD_PRELOAD. Environment:
 *   POWERCUT_ROOT   the directory; names below it are recorded relative to it
 *   POWERCUT_TRACE  where the record goes
 *   POWERCUT_FAIL   a path: while a file is there, fsync of files below the root fails with EIO, and is not recorded
 *   POWERCUT_ACKS   a path: what is written to it is recorded as an acknowledgement
 *
 * Every call happens and is recorded under one lock, so the record's order is the order of effects. fsync
 * is recorded only: the record says what it would have kept, and the run is faster. Memory-mapped files
 * (SQLite's -shm) are not seen; nothing durable may depend on them.
 *
 * A record is: kind (1), descriptor (i32), number (i64: offset, length or flags), two lengths (u32), two texts.
 */
#define _GNU_SOURCE
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_FD 4096
enum { NONE, TRACED, ACKS };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char kinds[MAX_FD];
static char *root, *acks, *fail;
static size_t root_length;
static int trace = -1;

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

__attribute__((constructor)) static void begin(void) {
    root = getenv("POWERCUT_ROOT") ? strdup(getenv("POWERCUT_ROOT")) : NULL;
    acks = getenv("POWERCUT_ACKS") ? strdup(getenv("POWERCUT_ACKS")) : NULL;
    fail = getenv("POWERCUT_FAIL") ? strdup(getenv("POWERCUT_FAIL")) : NULL;
    const char *path = getenv("POWERCUT_TRACE");
    if (!root || !acks || !path) return;
    root_length = strlen(root);
    trace = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (trace < 0) abort();
}

/* The name below the root; NULL for what lies elsewhere. */
static const char *below(const char *path) {
    if (trace < 0 || !path || strncmp(path, root, root_length)) return NULL;
    if (path[root_length] == '\0') return "";
    return path[root_length] == '/' ? path + root_length + 1 : NULL;
}

static int kind_of(int fd) { return fd >= 0 && fd < MAX_FD ? kinds[fd] : NONE; }

static void put(const void *data, size_t size) {
    while (size) {
        ssize_t done = syscall(SYS_write, trace, data, size);
        if (done <= 0) abort();
        data = (const char *)data + done;
        size -= (size_t)done;
    }
}

static void record(char kind, int fd, int64_t number, const void *first, size_t first_size, const void *second, size_t second_size) {
    struct __attribute__((packed)) { char kind; int32_t fd; int64_t number; uint32_t sizes[2]; } head = {
        kind, fd, number, {(uint32_t)first_size, (uint32_t)second_size}};
    int error = errno;
    put(&head, sizeof head);
    put(first, first_size);
    put(second, second_size);
    errno = error;
}

static void record_names(char kind, const char *first, const char *second) {
    record(kind, -1, 0, first, strlen(first), second, strlen(second));
}

static int opened(int fd, const char *path, int flags) {
    if (fd < 0 || trace < 0) return fd;
    if (fd >= MAX_FD) abort();
    const char *name = below(path);
    kinds[fd] = name ? TRACED : path && !strcmp(path, acks) ? ACKS : NONE;
    if (name) record('O', fd, flags, name, strlen(name), "", 0);
    return fd;
}

#define WITH_MODE(flags)                               \
    mode_t mode = 0;                                   \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {           \
        va_list rest;                                  \
        va_start(rest, flags);                         \
        mode = va_arg(rest, mode_t);                   \
        va_end(rest);                                  \
    }

#define LOCKED(type, call)             \
    pthread_mutex_lock(&lock);         \
    type result = (call);              \
    int error = errno;                 \
    pthread_mutex_unlock(&lock);       \
    errno = error;                     \
    return result

int open(const char *path, int flags, ...) {
    WITH_MODE(flags)
    LOCKED(int, opened(REAL(open)(path, flags, mode), path, flags));
}

int open64(const char *path, int flags, ...) {
    WITH_MODE(flags)
    LOCKED(int, opened(REAL(open64)(path, flags, mode), path, flags));
}

int openat(int dir, const char *path, int flags, ...) {
    WITH_MODE(flags)
    LOCKED(int, opened(REAL(openat)(dir, path, flags, mode), path, flags));
}

int openat64(int dir, const char *path, int flags, ...) {
    WITH_MODE(flags)
    LOCKED(int, opened(REAL(openat64)(dir, path, flags, mode), path, flags));
}

int close(int fd) {
    pthread_mutex_lock(&lock);
    if (fd >= 0 && fd < MAX_FD) kinds[fd] = NONE;
    int result = REAL(close)(fd);
    int error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

static ssize_t wrote(int fd, const void *data, ssize_t done, off_t offset) {
    if (done <= 0) return done;
    if (kind_of(fd) == TRACED) record('W', fd, offset, data, (size_t)done, "", 0);
    if (kind_of(fd) == ACKS) record('A', fd, 0, data, (size_t)done, "", 0);
    return done;
}

static ssize_t write_and_record(int fd, const void *data, size_t size) {
    ssize_t done = REAL(write)(fd, data, size);
    off_t end = kind_of(fd) == TRACED ? lseek(fd, 0, SEEK_CUR) : 0;
    return wrote(fd, data, done, end - done);
}

ssize_t write(int fd, const void *data, size_t size) {
    if (kind_of(fd) == NONE) return REAL(write)(fd, data, size);
    LOCKED(ssize_t, write_and_record(fd, data, size));
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    if (kind_of(fd) == NONE) return REAL(pwrite)(fd, data, size, offset);
    LOCKED(ssize_t, wrote(fd, data, REAL(pwrite)(fd, data, size, offset), offset));
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
    if (kind_of(fd) == NONE) return REAL(pwrite64)(fd, data, size, offset);
    LOCKED(ssize_t, wrote(fd, data, REAL(pwrite64)(fd, data, size, offset), offset));
}

static int truncated(int fd, int result, off_t length) {
    if (result == 0 && kind_of(fd) == TRACED) record('T', fd, length, "", 0, "", 0);
    return result;
}

int ftruncate(int fd, off_t length) {
    LOCKED(int, truncated(fd, REAL(ftruncate)(fd, length), length));
}

int ftruncate64(int fd, off64_t length) {
    LOCKED(int, truncated(fd, REAL(ftruncate64)(fd, length), length));
}

static int synced(int fd) {
    if (fail && access(fail, F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    record('S', fd, 0, "", 0, "", 0);
    return 0;
}

int fsync(int fd) {
    if (kind_of(fd) != TRACED) return REAL(fsync)(fd);
    LOCKED(int, synced(fd));
}

int fdatasync(int fd) {
    if (kind_of(fd) != TRACED) return REAL(fdatasync)(fd);
    LOCKED(int, synced(fd));
}

static int named(int result, char kind, const char *first, const char *second) {
    if (result == 0 && below(first)) record_names(kind, below(first), second ? below(second) : "");
    return result;
}

int rename(const char *from, const char *to) {
    LOCKED(int, named(REAL(rename)(from, to), 'R', from, to));
}

int unlink(const char *path) {
    LOCKED(int, named(REAL(unlink)(path), 'U', path, NULL));
}

int mkdir(const char *path, mode_t mode) {
    LOCKED(int, named(REAL(mkdir)(path, mode), 'M', path, NULL));
}
