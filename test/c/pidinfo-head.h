/* pidinfo-head.h - how pidinfo's programs are asked, which the header for C does not have. */
#include <stdint.h>

/* The head of pidinfo's programs: struct pidinfo_head in bpf/fdmap.h. */
struct pidinfo__head {
	uint32_t abi, flags;
	uint64_t mask;
	uint32_t count;
	int32_t error;
	uint32_t stored, bytes, nested, pad[3];
};
