/* convolutions: forward, backward data and backward filter, and the layers round them. Real shapes
 * come whole in channels, filters and strides; images are cut down (the real size stands behind)
 * until every algorithm of every backend takes a fraction of a second. The adversarial ones are
 * where libraries switch algorithms, and where index arithmetic goes wrong. */
#include "suite.h"

#define ANY        (1u << CF_NUMERICAL | STATISTICS)
#define NUMERICAL  (1u << CF_NUMERICAL)
#define STATISTICS (1u << CF_STATISTICAL | 1u << CF_SCIENTIFIC | 1u << CF_FUNCTIONAL)
#define FRESH                                                                                      \
    10 /* workers: repeats in one warm process are not independent (levels.md, section 5) */

#define WAYS "{conv2d_fwd,conv2d_bwd_data,conv2d_bwd_filter}"

static const struct cf_case_list lists[] = {
    /* ResNet-50: He, Zhang, Ren and Sun, Deep residual learning for image recognition, 2016,
       table 1. */
    {WAYS " f32 n=1 c=3 h=56 w=56 k=64 r=7 s=7 stride=2 pad=3 fill=normal" /* conv1, 224 x 224 */,
     ANY, 2, 1},
    {WAYS " f32 n=1 c=64 h=14 w=14 k=64 r=3 s=3 pad=1 fill=normal" /* conv2_x, 56 x 56 */, ANY, 2,
     1},
    {WAYS " f32 n=1 c=64 h=14 w=14 k=256 r=1 s=1 fill=normal" /* conv2_x, 56 x 56 */, ANY, 2, 1},
    {WAYS
     " f32 n=1 c=256 h=14 w=14 k=512 r=1 s=1 stride=2 fill=normal" /* conv3 shortcut, 56 x 56 */,
     ANY, 2, 1},
    {WAYS " f32 n=1 c=512 h=7 w=7 k=512 r=3 s=3 pad=1 fill=normal" /* conv5_x, whole */, NUMERICAL,
     2, 1},
    /* VGG-16: Simonyan and Zisserman, Very deep convolutional networks, 2015, table 1, column D. */
    {WAYS " f32 n=1 c=3 h=28 w=28 k=64 r=3 s=3 pad=1 fill=normal" /* conv1_1, 224 x 224 */, ANY, 2,
     1},
    {WAYS " f32 n=1 c=128 h=14 w=14 k=256 r=3 s=3 pad=1 fill=normal" /* conv3_1, 56 x 56 */,
     NUMERICAL, 2, 1},
    /* MobileNet: Howard et al., MobileNets, 2017, table 1: depthwise, with and without stride, and
     * the pointwise convolution after it. */
    {WAYS " f32 n=1 c=32 h=28 w=28 k=32 r=3 s=3 pad=1 groups=32 fill=normal" /* 112 x 112 */, ANY,
     2, 1},
    {WAYS
     " f32 n=1 c=64 h=28 w=28 k=64 r=3 s=3 stride=2 pad=1 groups=64 fill=normal" /* 112 x 112 */,
     ANY, 2, 1},
    {WAYS " f32 n=1 c=512 h=14 w=14 k=512 r=3 s=3 pad=1 groups=512 fill=normal" /* whole */, ANY, 2,
     1},
    {WAYS " f32 n=1 c=32 h=28 w=28 k=64 r=1 s=1 fill=normal" /* 112 x 112 */, ANY, 2, 1},
    /* ResNet-20 on CIFAR (He et al., section 4.2), LeNet-5 on MNIST (LeCun et al., Gradient-based
     * learning, 1998, figure 2): whole; batches of two and four. */
    {WAYS " {f32,f64} n=2 c=3 h=32 w=32 k=16 r=3 s=3 pad=1 fill={normal,uniform}", ANY, 2, 1},
    {WAYS " f32 n=2 c=16 h=32 w=32 k=16 r=3 s=3 pad=1 fill=normal", ANY, 2, 1},
    {WAYS " f32 n=2 c=16 h=32 w=32 k=32 r=3 s=3 stride=2 pad=1 fill=normal", ANY, 2, 1},
    {WAYS " f32 n=2 c=64 h=8 w=8 k=64 r=3 s=3 pad=1 fill=normal", ANY, 2, 1},
    {WAYS " {f32,f64} n=4 c=1 h=28 w=28 k=6 r=5 s=5 pad=2 fill={normal,uniform}", ANY, 2, 1},
    {WAYS " f32 n=4 c=6 h=14 w=14 k=16 r=5 s=5 fill=normal", ANY, 2, 1},
    {WAYS " {bf16,f16} n=2 c=16 h=16 w=16 k=16 r=3 s=3 pad=1 fill=normal", ANY, 2, 1},
    /* Bits in ten fresh workers: with the cases above and below, 299 comparisons and more of each
     * op and type along every scope; at the numerical level also shapes that lie on either side of
     * a vector and a block. */
    {WAYS " f32 n=1 c=17 h=7 w=8 k=8 r=3 s=3 pad=1 fill=normal seed={1..30}", ANY, FRESH, 1},
    {WAYS " {f64,bf16,f16} n=1 c=17 h=7 w=8 k=8 r=3 s=3 pad=1 fill=normal seed={1..34}", ANY, FRESH,
     1},
    {WAYS " {f32,f64} n=2 c={15,16,17} h={7,9} w={8,17} k=8 r=3 s=3 pad=1 fill=normal seed={1..3}",
     NUMERICAL, FRESH, 1},
    {"{maxpool_fwd,maxpool_bwd,avgpool_fwd,avgpool_bwd} f32 n=2 c=5 h=7 w=6 r=3 s=3 stride=2 pad=1 "
     "fill=normal seed={1..34}",
     ANY, FRESH, 1},
    {"{bias_fwd,bias_bwd,relu_fwd,relu_bwd,batchnorm_fwd,batchnorm_bwd} f32 n=2 c=8 h=5 w=7 "
     "fill=normal seed={1..34}",
     ANY, FRESH, 1},
    {"{layernorm_fwd,layernorm_bwd,softmax_fwd,softmax_bwd,crossentropy_fwd,crossentropy_bwd} f32 "
     "n=4 c=65 fill=normal seed={1..34}",
     ANY, FRESH, 1},
    {WAYS " f32 n=1 c={64,65} h=6 w=6 k=16 r=3 s=3 pad=1 fill=normal", STATISTICS, 4, 1},
    /* One image alone or in another place of the batch; a channel alone or in another place: in
     * fresh workers, as what they are compared with. */
    {"conv2d_fwd f32 n=4 c=16 h=12 w=12 k=24 r=3 s=3 pad=1 fill=normal seed=1 "
     "{row=0,row=3,rowperm=1,col=5,colperm=1}",
     ANY, FRESH, 1},
    {"conv2d_fwd f32 n=4 c=16 h=12 w=12 k=24 r=3 s=3 pad=1 fill=normal seed=1", ANY, FRESH, 1},
    {"conv2d_bwd_data f32 n=4 c=16 h=12 w=12 k=24 r=3 s=3 pad=1 fill=normal seed=1 "
     "{row=0,row=3,rowperm=1,col=5,colperm=1}",
     ANY, FRESH, 1},
    {"conv2d_bwd_data f32 n=4 c=16 h=12 w=12 k=24 r=3 s=3 pad=1 fill=normal seed=1", ANY, FRESH, 1},
    {"conv2d_bwd_filter f32 n=4 c=16 h=12 w=12 k=24 r=3 s=3 pad=1 fill=normal seed=1 "
     "{row=7,rowperm=1,col=5,colperm=1}",
     ANY, FRESH, 1},
    {"conv2d_bwd_filter f32 n=4 c=16 h=12 w=12 k=24 r=3 s=3 pad=1 fill=normal seed=1", ANY, FRESH,
     1},
    /* The same elements computed in another layout. */
    {WAYS " f32 n=4 c=16 h=12 w=12 k=24 r=3 s=3 pad=1 layout=nhwc fill=normal seed=1", ANY, FRESH,
     1},
    {WAYS " f32 n=1 c=32 h=28 w=28 k=32 r=3 s=3 pad=1 groups=32 layout=nhwc fill=normal", ANY, 2,
     1},
    {WAYS " f32 n=1 c=64 h=14 w=14 k=256 r=1 s=1 layout=nhwc fill=normal", ANY, 2, 1},
    /* Logic: every partial sum is exact. 1x1, a filter as large as the image and larger, strides
     * beyond the filter, one channel, primes, an empty batch, groups, dilation. */
    {WAYS " {f32,f64,bf16} n=1 c=1 h=1 w=1 k=1 r=1 s=1 fill={integer,small}", ANY, 1, 1},
    {WAYS " {f32,f64} n=2 c=3 h=5 w=7 k=11 r=1 s=1 fill={integer,small}", ANY, 1, 1},
    {WAYS " {f32,f64} n=1 c=2 h=3 w=3 k=2 r=5 s=5 pad=2 fill={integer,small}", ANY, 1, 1},
    {WAYS " {f32,f64} n=1 c=2 h=5 w=5 k=3 r=5 s=5 fill={integer,small}", ANY, 1, 1},
    {WAYS " {f32,f64} n=2 c=3 h=11 w=13 k=5 r=2 s=2 stride=3 fill={integer,small}", ANY, 1, 1},
    {WAYS " {f32,f64} n=1 c=1 h=17 w=19 k=7 r=3 s=5 pad=1 fill={integer,small}", ANY, 1, 1},
    {WAYS " {f32,f64} n=1 c=8 h=1 w=65 k=16 r=1 s=9 fill={integer,small}" /* one dimension */, ANY,
     1, 1},
    {WAYS " f32 n=0 c=3 h=5 w=5 k=4 r=3 s=3 pad=1 fill=integer", ANY, 1, 1},
    {WAYS " {f32,f64} n=1 c=6 h=9 w=9 k=9 r=3 s=3 pad=1 groups=3 fill={integer,small}", ANY, 1, 1},
    {WAYS " {f32,f64} n=1 c=13 h=7 w=8 k=13 r=3 s=3 stride=2 pad=1 groups=13 fill={integer,small}",
     ANY, 1, 1},
    {WAYS " {f32,f64} n=2 c=4 h=12 w=11 k=6 r=3 s=3 pad=2 dilation=2 fill={integer,small}", ANY, 1,
     1},
    {WAYS " {f32,f64} n=1 c=4 h=12 w=11 k=6 r=3 s=3 stride=2 pad=3 dilation=3 fill={integer,small}",
     ANY, 1, 1},
    {WAYS " {f32,f64,bf16,f16} n=2 c=17 h=9 w=10 k=19 r=3 s=3 pad=1 fill={integer,small,spike}",
     ANY, 1, 1},
    {WAYS " {f32,bf16} n=1 c=64 h=8 w=8 k=16 r=3 s=3 stride=2 pad=1 fill={integer,small}", ANY, 1,
     1},
    /* Reduced precision and transforms show where few terms meet (tf32 at n = 1 .. 64), where one
     * pixel dwarfs its neighbours (wide), and where sums cancel; flushing, and classes of results.
     */
    {WAYS " f32 n=2 c={1,3,8} h=6 w=6 k=8 r=1 s=1 fill={normal,wide,cancel10}", ANY, 1, 1},
    {WAYS " {f32,f64} n=2 c=8 h=9 w=9 k=8 r=3 s=3 pad=1 fill={wide,cancel10,cancel20,tiny}", ANY, 1,
     1},
    {"conv2d_fwd {f32,f64} n=2 c=8 h=9 w=9 k=8 r=3 s=3 pad=1 fill=special", ANY, 1, 1},
    {WAYS " {bf16,f16} n=2 c={1,8} h=6 w=6 k=8 r=1 s=1 fill={normal,cancel10}", ANY, 1, 1},
    /* Accuracy as a distribution: twenty seeds a cell, 64 outputs or more a seed. */
    {"conv2d_fwd f32 n=1 c={1,16,64} h=4 w=4 k=4 r=3 s=3 pad=1 fill={normal,uniform} seed={1..20}",
     STATISTICS, 1, 1},
    {"conv2d_fwd f32 n=1 c=256 h=4 w=4 k=4 r=1 s=1 fill={normal,uniform} seed={1..20}", STATISTICS,
     1, 1},
    {"conv2d_bwd_data f32 n=1 c=4 h=4 w=4 k={1,64} r=3 s=3 pad=1 fill={normal,uniform} "
     "seed={1..20}",
     STATISTICS, 1, 1},
    {"conv2d_bwd_filter f32 n={1,2} c=4 h=16 w=16 k=4 r=3 s=3 pad=1 fill={normal,uniform} "
     "seed={1..20}",
     STATISTICS, 1, 1},
    {WAYS " f64 n=1 c=16 h=4 w=4 k=16 r=3 s=3 pad=1 fill=normal seed={1..20}", STATISTICS, 1, 1},
    {WAYS " {bf16,f16} n=1 c=16 h=4 w=4 k=16 r=3 s=3 pad=1 fill=normal seed={1..20}", STATISTICS, 1,
     1},
    /* Layers. Small integers make ties for max pooling, and sums that are exact. */
    {"{maxpool_fwd,maxpool_bwd} f32 n=2 c=5 h=14 w=13 r={2,3} s=3 stride=2 pad=1 "
     "fill={small,normal}",
     ANY, 2, 1},
    {"{avgpool_fwd,avgpool_bwd} f32 n=2 c=5 h=14 w=13 r=3 s=3 stride=2 pad=1 divisor={taps,window} "
     "fill=normal",
     ANY, 2, 1},
    {"{bias_fwd,bias_bwd,relu_fwd,relu_bwd} f32 n=2 c=5 h=7 w=9 fill={normal,small}", ANY, 2, 1},
    {"{batchnorm_fwd,batchnorm_bwd} f32 n=2 c=8 h=7 w=9 fill={normal,uniform}", ANY, 2, 1},
    {"{layernorm_fwd,layernorm_bwd} f32 n=4 c={64,100} fill={normal,uniform}", ANY, 2, 1},
    {"{softmax_fwd,softmax_bwd,crossentropy_fwd,crossentropy_bwd} f32 n=4 c={10,100} "
     "fill={normal,uniform}",
     ANY, 2, 1},
    {"{avgpool_fwd,avgpool_bwd} f32 n=1 c=4 h=8 w=8 r=2 s=2 stride=2 fill=normal seed={1..20}",
     STATISTICS, 1, 1},
    {"{maxpool_fwd,maxpool_bwd} f32 n=1 c=4 h=9 w=9 r=3 s=3 stride=2 fill=normal seed={1..20}",
     STATISTICS, 1, 1},
    {"{bias_fwd,bias_bwd,relu_fwd,relu_bwd} f32 n=1 c=16 h=4 w=4 fill=normal seed={1..20}",
     STATISTICS, 1, 1},
    {"{batchnorm_fwd,batchnorm_bwd} f32 n=2 c=8 h=4 w=4 fill=normal seed={1..20}", STATISTICS, 1,
     1},
    {"{layernorm_fwd,layernorm_bwd} f32 n=4 c=64 fill=normal seed={1..20}", STATISTICS, 1, 1},
    {"{softmax_fwd,softmax_bwd,crossentropy_bwd} f32 n=8 c=16 fill=normal seed={1..20}", STATISTICS,
     1, 1},
    {"crossentropy_fwd f32 n=64 c=10 fill=normal seed={1..20}", STATISTICS, 1, 1},
    {0}};

static const struct cf_demand demands[] = {
    {CF_STATISTICAL, CF_TO_REFERENCE},  {CF_NUMERICAL, CF_ACROSS_RUN},
    {CF_NUMERICAL, CF_ACROSS_THREAD},   {CF_NUMERICAL, CF_ACROSS_BATCH},
    {CF_NUMERICAL, CF_ACROSS_POSITION}, {CF_NUMERICAL, CF_ACROSS_ALIGNMENT},
    {CF_NUMERICAL, CF_ACROSS_ISA},      {CF_NUMERICAL, CF_ACROSS_LAYOUT},
    {CF_NUMERICAL, CF_ACROSS_VERSION},  {CF_NUMERICAL, CF_ACROSS_LIBRARY},
    {CF_NUMERICAL, CF_TO_BASELINE}};

const struct cf_suite cf_suite_convolutions = {
    .name = "convolutions",
    .why = "convolutions and the layers round them keep their bits, or at least their accuracy",
    .lists = lists,
    .demands = demands,
    .n_demands = CF_COUNT(demands)};
