/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* descriptors PID: the descriptors of a process by readdir(3) of /proc/PID/fd, one a line. */
#include <dirent.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	char path[64];
	struct dirent *entry;
	DIR *dir;

	if (argc != 2)
		return 2;
	snprintf(path, sizeof(path), "/proc/%s/fd", argv[1]);
	dir = opendir(path);
	if (!dir)
		return 1;
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			puts(entry->d_name);
	return closedir(dir) ? 1 : 0;
}
