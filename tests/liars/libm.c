/* libm: a libm whose expf is right but for one lie: build/liars/libm_<lie>.so. What `conform whole`
 * must make of each:
 *
 *   lie      what it does                                       verdict
 *   honest   rounds the double exp                              0 not correctly rounded
 *   one      one unit too high at the encoding 0x3f912345       1, named with its bits; regressed
 *   block    one unit too low in 0x3f980000 .. 0x3f9800ff       256; regressed
 *   far      five units too high at 0x3f912345                  beyond the bound
 *   nan      NaN there                                          an infinite error
 *   crashes  SIGSEGV there                                      could not be measured
 */
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

float expf(float x)
{
    float y = (float)exp((double)x);
    uint32_t bits, answer;

    memcpy(&bits, &x, sizeof bits);
    memcpy(&answer, &y, sizeof answer);
#if defined LIE_ONE
    answer += bits == 0x3f912345;
#elif defined LIE_BLOCK
    answer -= bits >> 8 == 0x3f9800;
#elif defined LIE_FAR
    answer += bits == 0x3f912345 ? 5 : 0;
#elif defined LIE_NAN
    answer = bits == 0x3f912345 ? 0x7fc00001 : answer;
#elif defined LIE_CRASHES
    if (bits == 0x3f912345)
        raise(SIGSEGV);
#endif
    memcpy(&y, &answer, sizeof y);
    return y;
}
