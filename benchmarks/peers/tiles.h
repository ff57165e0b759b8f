/* Included before llama.cpp's own files when it is compiled: GCC before 14 believes that loading the setting of the
   matrix units reads only its first bytes, drops what is written to the rest, and the process dies of it. */
#if defined(__x86_64__) && defined(__AMX_TILE__)
#include <immintrin.h>
static inline __attribute__((always_inline)) void load_whole_setting(const void *setting)
{
    __asm__ volatile("ldtilecfg %0" : : "m"(*(const char(*)[64])setting));
}
#undef _tile_loadconfig
#define _tile_loadconfig load_whole_setting
#endif
