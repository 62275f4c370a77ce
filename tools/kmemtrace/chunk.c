/* SPDX-License-Identifier: BSD-2-Clause */
/* chunk.c - see chunk.h. */
#include "kmemtrace/chunk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define SEARCH_BYTES 65536
#define ZSTD_LEVEL   (-1) /* as fast as packing; 1 is 15 % smaller and takes a third more time */

_Static_assert(sizeof(struct chunk_header) == 32 && sizeof(struct trace_file_header) == 16, "as documented");
_Static_assert(sizeof(struct chunk_events) == 56 && sizeof(struct chunk_snapshot) == 32, "as documented");

__attribute__((format(printf, 4, 5)))
static int fail(char *err, size_t len, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err, len, format, args);
	va_end(args);
	return error;
}

/* zlib begins anew where the address is NULL. */
static uint32_t crc_of(uint32_t crc, const void *data, size_t bytes)
{
	return bytes ? (uint32_t)crc32_z(crc, data, bytes) : crc;
}

static uint32_t head_crc(const struct chunk_header *header, const void *head)
{
	struct chunk_header h = *header;

	h.head_crc = 0;
	return crc_of(crc_of(0, &h, sizeof(h)), head, h.head_bytes);
}

/* ---- writing ---------------------------------------------------------------------------------- */

/* All of it, or -errno. */
static int write_all(int fd, struct iovec *iov, int nr)
{
	while (nr) {
		ssize_t n = writev(fd, iov, nr);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (; nr && (size_t)n >= iov->iov_len; iov++, nr--)
			n -= (ssize_t)iov->iov_len;
		if (nr) {
			iov->iov_base = (uint8_t *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}

/* An existing regular file is removed, so that the new one has our owner and mode. */
static int make_file(const char *path, bool force)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
	struct stat st;

	if (force && !lstat(path, &st)) {
		if (S_ISREG(st.st_mode)) {
			if (unlink(path))
				return -1;
		} else {
			flags &= ~(O_CREAT | O_EXCL);
		}
	}
	return open(path, flags, 0600);
}

int chunk_create(struct chunk_out *out, const char *path, bool force, char *err, size_t len)
{
	struct trace_file_header header = { TRACE_MAGIC, TRACE_VERSION, 0 };
	struct iovec iov = { &header, sizeof(header) };
	struct stat st;

	*out = (struct chunk_out){ .fd = make_file(path, force) };
	if (out->fd < 0 && errno == EEXIST)
		return fail(err, len, -EEXIST, "%s exists already; choose another name, or replace it with --force", path);
	if (out->fd < 0 && errno == ELOOP)
		return fail(err, len, -ELOOP, "%s is a symbolic link; name the file itself", path);
	if (out->fd < 0)
		return fail(err, len, -errno, "%s cannot be written: %s", path, strerror(errno));
	if (!fstat(out->fd, &st) && S_ISREG(st.st_mode))
		out->path = strdup(path);
	out->zstd = ZSTD_createCCtx();
	if (!out->zstd)
		out->error = -ENOMEM;
	header.crc = crc_of(0, &header, offsetof(struct trace_file_header, crc));
	if (!out->error)
		out->error = write_all(out->fd, &iov, 1);
	out->bytes = sizeof(header);
	if (!out->error)
		return 0;
	fail(err, len, 0, "%s cannot be written: %s", path, strerror(-out->error));
	return chunk_close(out);
}

static int ensure(uint8_t **data, size_t *room, size_t need)
{
	uint8_t *more;

	if (need <= *room)
		return 0;
	more = realloc(*data, need);
	if (!more)
		return -ENOMEM;
	*data = more;
	*room = need;
	return 0;
}

/* The body in one piece of compressed bytes. Return its size, 0: better as it is. */
static size_t compress_body(struct chunk_out *out, const struct iovec *body, int nr, size_t raw)
{
	size_t bound = ZSTD_compressBound(raw), at = 0, bytes;

	if (ensure(&out->plain, &out->plain_room, raw) || ensure(&out->packed, &out->packed_room, bound))
		return 0;
	for (int i = 0; i < nr; i++) {
		if (body[i].iov_len)
			memcpy(out->plain + at, body[i].iov_base, body[i].iov_len);
		at += body[i].iov_len;
	}
	bytes = ZSTD_compressCCtx(out->zstd, out->packed, bound, out->plain, raw, ZSTD_LEVEL);
	return ZSTD_isError(bytes) || bytes >= raw ? 0 : bytes;
}

int chunk_write(struct chunk_out *out, enum chunk_type type, const void *head, size_t head_bytes,
		const struct iovec *body, int nr, bool compress)
{
	struct chunk_header h = { .magic = CHUNK_MAGIC, .type = (uint16_t)type, .number = out->number };
	struct iovec iov[10] = { { &h, sizeof(h) }, { (void *)(uintptr_t)head, head_bytes } };
	size_t raw = 0, packed = 0;
	int i, pieces = nr;

	if (out->error)
		return out->error;
	for (i = 0; i < nr; i++)
		raw += body[i].iov_len;
	if (head_bytes > CHUNK_MAX_HEAD || raw > CHUNK_MAX_BODY || nr < 0 || nr > 8)
		return out->error = -EMSGSIZE;
	if (compress && raw)
		packed = compress_body(out, body, nr, raw);
	if (packed) {
		iov[2] = (struct iovec){ out->packed, packed };
		pieces = 1;
		h.flags = CHUNK_ZSTD;
	} else if (nr > 0) {
		memcpy(iov + 2, body, (size_t)nr * sizeof(*body));
	}
	h.head_bytes = (uint32_t)head_bytes;
	h.raw_bytes = (uint32_t)raw;
	h.stored_bytes = (uint32_t)(packed ? packed : raw);
	for (i = 0; i < pieces; i++)
		h.body_crc = crc_of(h.body_crc, iov[2 + i].iov_base, iov[2 + i].iov_len);
	h.head_crc = head_crc(&h, head);
	out->error = write_all(out->fd, iov, 2 + pieces);
	if (out->error) {
		/* Nothing can be done if this fails, too: a reader finds half a chunk. */
		if (ftruncate(out->fd, (off_t)out->bytes))
			return out->error;
		return out->error;
	}
	out->bytes += sizeof(h) + head_bytes + h.stored_bytes;
	out->number++;
	return 0;
}

void chunk_discard(struct chunk_out *out)
{
	if (out->path)
		unlink(out->path);
}

int chunk_close(struct chunk_out *out)
{
	int error = out->error;

	if (out->fd >= 0 && close(out->fd) && !error)
		error = -errno;
	ZSTD_freeCCtx(out->zstd);
	free(out->path);
	free(out->plain);
	free(out->packed);
	*out = (struct chunk_out){ .fd = -1, .error = error };
	return error;
}

/* ---- reading ---------------------------------------------------------------------------------- */

/* As much as there is. Return bytes or -errno. */
static ssize_t read_at(struct chunk_in *in, void *to, size_t bytes, uint64_t offset)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t n = pread(in->fd, (uint8_t *)to + done, bytes - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static int check_file(struct chunk_in *in, const char *path, char *err, size_t len)
{
	struct trace_file_header h = { 0 };
	ssize_t n = read_at(in, &h, sizeof(h), 0);

	if (n < 0)
		return fail(err, len, (int)n, "%s cannot be read: %s", path, strerror((int)-n));
	if (n < (ssize_t)sizeof(h) || memcmp(h.magic, TRACE_MAGIC, sizeof(h.magic)))
		return fail(err, len, -EPROTO, "%s is no trace of kmemtrace record", path);
	if (h.crc != crc_of(0, &h, offsetof(struct trace_file_header, crc)))
		return fail(err, len, -EBADMSG, "%s is damaged at offset 0: its header does not match its checksum", path);
	if (h.version != TRACE_VERSION)
		return fail(err, len, -EPROTO, "%s has format version %u, this kmemtrace reads version %u", path, h.version,
			    TRACE_VERSION);
	return 0;
}

int chunk_open(struct chunk_in *in, const char *path, char *err, size_t len)
{
	struct stat st;
	int ret;

	*in = (struct chunk_in){ .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) };
	if (in->fd < 0)
		return fail(err, len, -errno, "%s cannot be read: %s", path, strerror(errno));
	if (fstat(in->fd, &st) || !S_ISREG(st.st_mode))
		ret = fail(err, len, -EPROTO, "%s is no regular file", path);
	else
		ret = check_file(in, path, err, len);
	if (!ret) {
		in->bytes = (uint64_t)st.st_size;
		in->zstd = ZSTD_createDCtx();
		if (!in->zstd)
			ret = fail(err, len, -ENOMEM, "out of memory");
	}
	if (ret)
		chunk_in_close(in);
	return ret;
}

int chunk_at(struct chunk_in *in, uint64_t offset, struct chunk_ref *ref)
{
	ssize_t n;

	ref->offset = offset;
	if (offset >= in->bytes)
		return -ENODATA;
	n = read_at(in, &ref->header, sizeof(ref->header), offset);
	if (n < 0)
		return -EIO;
	if (n < (ssize_t)sizeof(ref->header) || ref->header.magic != CHUNK_MAGIC ||
	    ref->header.head_bytes > CHUNK_MAX_HEAD || ref->header.raw_bytes > CHUNK_MAX_BODY)
		return -EBADMSG;
	memset(ref->head, 0, sizeof(ref->head));
	n = read_at(in, ref->head, ref->header.head_bytes, offset + sizeof(ref->header));
	if (n < 0)
		return -EIO;
	if (n < (ssize_t)ref->header.head_bytes || ref->header.head_crc != head_crc(&ref->header, ref->head))
		return -EBADMSG;
	return 0;
}

uint64_t chunk_next(const struct chunk_ref *ref)
{
	return ref->offset + sizeof(ref->header) + ref->header.head_bytes + ref->header.stored_bytes;
}

uint64_t chunk_search(struct chunk_in *in, uint64_t offset)
{
	const uint32_t magic = CHUNK_MAGIC;
	uint8_t *buf = malloc(SEARCH_BYTES);
	struct chunk_ref ref;
	ssize_t n;

	while (buf && (n = read_at(in, buf, SEARCH_BYTES, offset)) >= (ssize_t)sizeof(ref.header)) {
		const uint8_t *at = buf, *end = buf + n;

		while ((at = memmem(at, (size_t)(end - at), &magic, sizeof(magic)))) {
			uint64_t here = offset + (uint64_t)(at - buf);

			if (!chunk_at(in, here, &ref)) {
				free(buf);
				return here;
			}
			at++;
		}
		/* One that lies across the end of this piece begins in the next. */
		offset += (uint64_t)n - (sizeof(magic) - 1);
		if (n < SEARCH_BYTES)
			break;
	}
	free(buf);
	return in->bytes;
}

static int unpack_body(struct chunk_in *in, const struct chunk_ref *ref, const uint8_t *stored, uint8_t *body)
{
	size_t n;

	if (!(ref->header.flags & CHUNK_ZSTD)) {
		if (ref->header.stored_bytes != ref->header.raw_bytes)
			return -EBADMSG;
		memcpy(body, stored, ref->header.raw_bytes);
		return 0;
	}
	n = ZSTD_decompressDCtx(in->zstd, body, ref->header.raw_bytes, stored, ref->header.stored_bytes);
	return n == ref->header.raw_bytes ? 0 : -EBADMSG;
}

int chunk_body(struct chunk_in *in, const struct chunk_ref *ref, size_t slack, uint8_t **body)
{
	uint64_t offset = ref->offset + sizeof(ref->header) + ref->header.head_bytes;
	uint32_t bytes = ref->header.stored_bytes;
	uint8_t *stored;
	ssize_t n;
	int ret;

	if (bytes > in->bytes || ref->header.raw_bytes > CHUNK_MAX_BODY)
		return -EBADMSG;
	stored = malloc(bytes + 1u);
	*body = calloc(1, ref->header.raw_bytes + slack + 1);
	n = stored && *body ? read_at(in, stored, bytes, offset) : 0;
	if (!stored || !*body)
		ret = -ENOMEM;
	else if (n < 0)
		ret = -EIO;
	else if (n < (ssize_t)bytes || crc_of(0, stored, bytes) != ref->header.body_crc)
		ret = -EBADMSG;
	else
		ret = unpack_body(in, ref, stored, *body);
	free(stored);
	if (ret) {
		free(*body);
		*body = NULL;
	}
	return ret;
}

void chunk_in_close(struct chunk_in *in)
{
	if (in->fd >= 0)
		close(in->fd);
	ZSTD_freeDCtx(in->zstd);
	*in = (struct chunk_in){ .fd = -1 };
}
