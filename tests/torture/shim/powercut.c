/* A power cut, without cutting the power. Preloaded into a process, it keeps beside each file of one
 * folder what would be on the disk: `<file>.durable`, the bytes as of the last sync, and
 * `<file>.pending`, the writes since then. After a SIGKILL the parent throws the real files away and
 * goes on with those. It can also end the process itself at the n-th call.
 *
 * POWERCUT_WATCH   folder whose files are watched (flat; the shared memory of SQLite is left out)
 * POWERCUT_TREE    another one, with its subfolders and what is renamed in it; its images are called `tree`
 *                  and the path below it, with % for each /. What is there before the first touch is on the disk.
 * POWERCUT_KEEP    folder of the images; unset: calls are only counted
 * POWERCUT_KILL_AT number of the call before which the process ends; unset: it lives
 * POWERCUT_LIES    ending of the files of which a sync is only said to be done; unset: of none
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct record { uint64_t kind, offset, length; }; /* kind 1: write, 2: truncate */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long calls;

/* The name of its images where a path is in the watched tree, or NULL. */
static const char *in_tree(const char *path) {
    static __thread char name[4200];
    const char *folder = getenv("POWERCUT_TREE");
    size_t n = folder ? strlen(folder) : 0;
    if (!n || strlen(path) >= 4096 || strncmp(path, folder, n) || (path[n] && path[n] != '/')) return NULL;
    snprintf(name, sizeof name, "tree%s", path + n);
    for (char *at = name; *at; at++) if (*at == '/') *at = '%';
    return name;
}

/* The name below a watched folder, or NULL. */
static const char *watched(const char *path) {
    const char *folder = getenv("POWERCUT_WATCH");
    size_t n = folder ? strlen(folder) : 0, length = strlen(path);
    if (!n || strncmp(path, folder, n) || path[n] != '/' || strchr(path + n + 1, '/')) return in_tree(path);
    if (length > 4 && !strcmp(path + length - 4, "-shm")) return NULL;
    return path + n + 1;
}

static const char *watched_fd(int fd, char path[4096]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, 4095);
    if (n <= 0) return NULL;
    path[n] = 0;
    return watched(path);
}

static int is_of_tree(const char *name) { return !strncmp(name, "tree", 4) && (name[4] == '%' || !name[4]); }

static void beat(void) {
    const char *at = getenv("POWERCUT_KILL_AT");
    if (at && __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST) >= atol(at)) kill(getpid(), SIGKILL);
}

static int kept(const char *name, const char *ending) {
    char path[4200];
    if (!getenv("POWERCUT_KEEP")) return -1;
    snprintf(path, sizeof path, "%s/%s.%s", getenv("POWERCUT_KEEP"), name, ending);
    return (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static void whole(int fd, const void *bytes, size_t length, off_t at) {
    for (size_t done = 0; done < length;) {
        long n = syscall(SYS_pwrite64, fd, (const char *)bytes + done, length - done, at + (off_t)done);
        if (n <= 0) _exit(98); /* a disk without room would look like a lost write */
        done += (size_t)n;
    }
}

static void image_path(char path[8400], const char *name, const char *ending) {
    snprintf(path, 8400, "%s/%s.%s", getenv("POWERCUT_KEEP"), name, ending);
}

/* What a file of the tree holds before it is touched is on the disk. */
static void base(const char *name, const char *path) {
    char image[8400];
    if (!is_of_tree(name) || !getenv("POWERCUT_KEEP")) return;
    pthread_mutex_lock(&lock);
    image_path(image, name, "durable");
    int to = (int)syscall(SYS_openat, AT_FDCWD, image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int from = to < 0 ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (from >= 0) {
        char bytes[65536];
        off_t at = 0;
        for (ssize_t n; (n = pread(from, bytes, sizeof bytes, at)) > 0; at += n) whole(to, bytes, (size_t)n, at);
        close(from);
    }
    if (to >= 0) close(to);
    pthread_mutex_unlock(&lock);
}

/* A change of names in the tree: R from to, M folder, S folder (its names are on the disk). */
static void note(const char *what, const char *one, const char *other) {
    char line[8500];
    if (!getenv("POWERCUT_KEEP")) return;
    int n = snprintf(line, sizeof line, other ? "%s %s %s\n" : "%s %s\n", what, one, other);
    pthread_mutex_lock(&lock);
    int fd = kept("names", "log");
    if (fd >= 0) {
        whole(fd, line, (size_t)n, lseek(fd, 0, SEEK_END));
        close(fd);
    }
    pthread_mutex_unlock(&lock);
}

static void forget(const char *name) {
    char image[8400];
    const char *endings[] = { "pending", "durable" };
    if (!getenv("POWERCUT_KEEP")) return;
    for (int i = 0; i < 2; i++) {
        image_path(image, name, endings[i]);
        syscall(SYS_unlinkat, AT_FDCWD, image, 0);
    }
}

static void pend(const char *name, uint64_t kind, off_t offset, const void *bytes, uint64_t length) {
    pthread_mutex_lock(&lock);
    int fd = kept(name, "pending");
    if (fd >= 0) {
        struct record record = { kind, (uint64_t)offset, length };
        off_t end = lseek(fd, 0, SEEK_END);
        if (kind == 1) whole(fd, bytes, length, end + (off_t)sizeof record);
        whole(fd, &record, sizeof record, end); /* last, so that no record is without its bytes */
        close(fd);
    }
    pthread_mutex_unlock(&lock);
}

static void settle(const char *name) {
    pthread_mutex_lock(&lock);
    int from = kept(name, "pending"), to = kept(name, "durable");
    struct record record;
    off_t at = 0;
    while (from >= 0 && to >= 0 && pread(from, &record, sizeof record, at) == sizeof record && record.kind) {
        at += (off_t)sizeof record;
        if (record.kind == 2) {
            if (syscall(SYS_ftruncate, to, record.offset)) _exit(98);
            continue;
        }
        char *bytes = malloc(record.length ? record.length : 1);
        if (!bytes || pread(from, bytes, record.length, at) != (ssize_t)record.length) _exit(98);
        whole(to, bytes, record.length, (off_t)record.offset);
        free(bytes);
        at += (off_t)record.length;
    }
    if (from >= 0 && syscall(SYS_ftruncate, from, 0)) _exit(98);
    if (from >= 0) close(from);
    if (to >= 0) close(to);
    pthread_mutex_unlock(&lock);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    char path[4096];
    const char *name = watched_fd(fd, path);
    if (name) beat(), base(name, path);
    ssize_t n = syscall(SYS_pwrite64, fd, bytes, length, at);
    if (name && n > 0) pend(name, 1, at, bytes, (uint64_t)n);
    return n;
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return pwrite64(fd, bytes, length, at); }

ssize_t write(int fd, const void *bytes, size_t length) {
    char path[4096];
    const char *name = watched_fd(fd, path);
    off_t at = name ? lseek(fd, 0, SEEK_CUR) : 0;
    if (name) beat(), base(name, path);
    ssize_t n = syscall(SYS_write, fd, bytes, length);
    if (name && n > 0) pend(name, 1, at, bytes, (uint64_t)n);
    return n;
}

int ftruncate64(int fd, off64_t length) {
    char path[4096];
    const char *name = watched_fd(fd, path);
    if (name) beat(), base(name, path);
    int outcome = (int)syscall(SYS_ftruncate, fd, length);
    if (name && !outcome) pend(name, 2, length, NULL, 0);
    return outcome;
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

/* The images stand for the disk, so the disk itself need not be waited for. */
int fdatasync(int fd) {
    char path[4096];
    const char *name = watched_fd(fd, path);
    if (!name) return (int)syscall(SYS_fdatasync, fd);
    beat();
    const char *lies = getenv("POWERCUT_LIES");
    struct stat about;
    if (is_of_tree(name) && !fstat(fd, &about) && S_ISDIR(about.st_mode)) {
        if (!lies || strcmp(lies, "/")) note("S", name, NULL);
        return 0;
    }
    size_t n = lies ? strlen(lies) : 0, length = strlen(name);
    if (!n || length < n || strcmp(name + length - n, lies)) settle(name);
    return 0;
}
int fsync(int fd) { return fdatasync(fd); }

/* A new name of the tree lasts once its folder is synced; the content goes with it. */
int rename(const char *from, const char *to) {
    char old[4200], image[8400], moved[8400];
    const char *endings[] = { "pending", "durable" }, *name = in_tree(from);
    if (!name) return (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
    beat();
    snprintf(old, sizeof old, "%s", name);
    base(old, from);
    name = in_tree(to);
    int outcome = (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
    if (!name || outcome || !getenv("POWERCUT_KEEP")) return outcome;
    pthread_mutex_lock(&lock);
    forget(name);
    for (int i = 0; i < 2; i++) {
        image_path(image, old, endings[i]);
        image_path(moved, name, endings[i]);
        syscall(SYS_renameat, AT_FDCWD, image, AT_FDCWD, moved);
    }
    pthread_mutex_unlock(&lock);
    note("R", old, name);
    return outcome;
}

int mkdir(const char *path, mode_t mode) {
    int outcome = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    const char *name = outcome ? NULL : in_tree(path);
    if (name) note("M", name, NULL);
    return outcome;
}

/* Taken as lasting at once: the record's own files are made once and then only written, and of the tree only
 * leftovers are deleted. */
int unlink(const char *path) {
    const char *name = watched(path);
    if (name && is_of_tree(name)) {
        beat();
        pthread_mutex_lock(&lock);
        forget(name);
        pthread_mutex_unlock(&lock);
    } else if (name) {
        beat();
        int fd = kept(name, "pending");
        if (fd >= 0 && syscall(SYS_ftruncate, fd, 0)) _exit(98);
        if (fd >= 0) close(fd);
        fd = kept(name, "durable");
        if (fd >= 0 && syscall(SYS_ftruncate, fd, 0)) _exit(98);
        if (fd >= 0) close(fd);
    }
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}
