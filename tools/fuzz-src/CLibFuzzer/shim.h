// libFuzzer's entry for programs with a main function of their own; the compiler brings the library but no header for it.

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*feed)(const uint8_t *data, size_t count));
