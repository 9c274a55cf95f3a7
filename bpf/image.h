/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * image.h - the file format of a dump. A part of fdmap.h, which includes it.
 *
 * A head, then sections one behind the other, each with its length and a checksum.
 * What is in a section are records, whole ones, as they came from the kernel, and
 * little-endian on every machine. Every length is a multiple of 8, so that records
 * of an image that is mapped or read into aligned memory are aligned.
 */
#ifndef FDMAP_IMAGE_H
#define FDMAP_IMAGE_H

#define FDMAP_IMAGE_FORMAT 1

/* The beginning of a file. */
struct fdmap_image {
	__u8 magic[8];	/* 0x89 'F' 'D' 'M' 'A' 'P' 0x0a 0x1a: no text, and not what a text tool made of it */
	__u32 version;	/* FDMAP_IMAGE_FORMAT */
	__u32 pad;
};

/* Step over types that you do not know. */
enum fdmap_section_type {
	FDMAP_SECTION_ABOUT = 1,	/* the first one: a struct fdmap_about */
	FDMAP_SECTION_PROCESSES = 2,	/* records of FDMAP_KIND_PROCESS */
	FDMAP_SECTION_DESCRIPTORS = 3,	/* those of a stream of fdinfo */
	FDMAP_SECTION_USERS = 4,	/* a struct fdmap_user each */
	FDMAP_SECTION_END = 5,		/* the last one: a struct fdmap_summary */
};

struct fdmap_section {
	__u32 type;	/* enum fdmap_section_type */
	__u32 length;	/* of what follows this head */
	__u32 sequence;	/* 0 for the first section, 1 for the next one */
	__u32 checksum;	/* CRC-32 (ISO 3309, as of gzip) of the three members above and what follows */
};

/* FDMAP_KIND_ABOUT: where and when it was made. Attributes: enum fdmap_about_attribute. */
struct fdmap_about {
	struct fdmap_record head;
	__u64 time;	/* of the dump, ms since 1970 */
	__u64 boot_time;	/* of the machine's start, ms since 1970 */
	__u32 abi;	/* FDMAP_ABI */
	__u32 contents;	/* FDMAP_IMAGE_* */
	__u64 key_id;	/* equal where numbers of open files may be compared; 0 where there are none */
};

#define FDMAP_IMAGE_ALL 1	/* every process that the caller could see */
#define FDMAP_IMAGE_PLACES 2	/* where each process is, its root, its program */
#define FDMAP_IMAGE_MAPPINGS 4	/* mapped files */

/* Text, UTF-8, without a NUL. */
enum fdmap_about_attribute {
	FDMAP_ABOUT_RELEASE = 1,	/* uname -r */
	FDMAP_ABOUT_BOOT_ID = 2,	/* /proc/sys/kernel/random/boot_id */
	FDMAP_ABOUT_HOST = 3,
	FDMAP_ABOUT_ARCH = 4,	/* as Node names it: O_DIRECT and others differ */
	FDMAP_ABOUT_BACKEND = 5,
	FDMAP_ABOUT_PIDS = 6,	/* __s32 each: who was asked for, where it was not everybody */
};

/* FDMAP_KIND_USER: a user who owns a process of the image. Attribute 1: the name. */
struct fdmap_user {
	struct fdmap_record head;
	__u32 uid;
	__u32 pad;
};

#define FDMAP_USER_NAME 1

/* FDMAP_KIND_SUMMARY: without it the image was cut off. */
struct fdmap_summary {
	struct fdmap_record head;
	__u64 bytes;	/* of everything before this section */
	__u32 sections;	/* how many are before this one */
	__u32 pad;
};

_Static_assert(sizeof(struct fdmap_image) == 16, "fdmap_image");
_Static_assert(sizeof(struct fdmap_section) == 16, "fdmap_section");
_Static_assert(sizeof(struct fdmap_about) == 56, "fdmap_about");
_Static_assert(sizeof(struct fdmap_user) == 32, "fdmap_user");
_Static_assert(sizeof(struct fdmap_summary) == 40, "fdmap_summary");

#endif
