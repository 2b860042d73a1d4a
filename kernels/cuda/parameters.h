/* parameters: what the kernels (*.cu) are told; the same bytes on the host and on a device.
 * Pointers are the device's. */
#ifndef CF_CUDA_PARAMETERS_H
#define CF_CUDA_PARAMETERS_H

enum { CF_CUDA_SUM, CF_CUDA_ASUM, CF_CUDA_DOT };

#define CF_CUDA_THREADS 256 /* of a block */
#define CF_CUDA_WARP    32
#define CF_CUDA_LIMBS   3 /* of a fixed-point sum */
#define CF_CUDA_TILE    16

/* out[i] = sum over j < n of x[i,j], of its absolute value, or of x[i,j] y[i,j], for rows `row` on.
 * A row is shared by gridDim.x blocks; blockIdx.y counts rows. */
struct cf_cuda_reduce {
    const void *x, *y;
    void *out;
    void *partial;            /* [rows, blocks] of the type; double where a kernel says so */
    unsigned *counter;        /* [rows], zero */
    unsigned long long *limb; /* [rows, CF_CUDA_LIMBS], zero */
    int *range;               /* [rows, 2], zero: the largest biased exponent; flags of specials */
    long long n, row;
    int op, blocks, width; /* width: bits of a limb that one term may fill */
};

/* c [m,n] = a [m,k] b [k,n], the k dimension cut into `slices`. */
struct cf_cuda_matrix {
    const void *a, *b;
    void *c, *partial; /* partial [slices, m, n] */
    long long m, n, k;
    int slices;
};

/* x [n,c,h,w], w [k,c/groups,r,s], y [n,k,p,q]; the pointers are those operands or their gradients.
 * nhwc: they lie as x [n,h,w,c], w [k,r,s,c/groups], y [n,p,q,k]. rsc: the order of the taps. */
struct cf_cuda_window {
    void *x, *w, *y;
    long long n, c, h, width, k, r, s, p, q, stride, pad, dilation, groups;
    int nhwc, rsc;
};

/* Copies [a,b,c,d] into the order [a,c,d,b], or (back) from it. */
struct cf_cuda_lay {
    const void *from;
    void *to;
    long long dim[4];
    int back;
};

/* Windows of image [n,c,h,w], whose outputs are [n,c,p,q]; nothing else of g is used. a: the image
 * where a kernel reads it; b: the gradient of the outputs. whole: a mean is over r s, not over the
 * pixels in range. */
struct cf_cuda_pool {
    struct cf_cuda_window g;
    const void *a, *b;
    void *out;
    int whole;
};

/* The float nearest to 1e-5: what norms add to the variance, for every type. */
#define CF_CUDA_EPSILON 0x1.4f8b58p-17

/* Group g of x has elements (o groups + g) inner + i, for o < outer and i < inner. b: beta or dy;
 * out: y or dx. gamma, beta and their gradients have one element a group (per_group) or one an
 * element of it. mean, sigma, sum, sum_z [groups]: what is known of each group. */
struct cf_cuda_norm {
    const void *x, *gamma, *b;
    void *out, *dgamma, *dbeta;
    void *mean, *sigma, *sum, *sum_z;
    long long outer, groups, inner;
    int per_group, lanes; /* lanes: threads a sum; a power of two, at most CF_CUDA_THREADS */
};

/* Rows of `columns`; a, b, y as the kernel says. `plane`: h w of images. */
struct cf_cuda_layer {
    const void *a, *b;
    void *y;
    long long rows, columns, plane;
};

/* x [n], t [256], out [passes,n]; processor [blocks], or NULL. */
struct cf_cuda_burn {
    const void *x, *t;
    void *out;
    unsigned *processor;
    long long n, rounds, passes;
    int fused;
};

/* d = c + a b by a matrix unit. a: [rows,k] and b: the transposed [columns,k], in words of 32 bits
 * (doubles for f64) in which operands are packed, the first in the lowest bits; both padded with
 * zeros to whole tiles. c, d: f32 (f64); c NULL: +0. diagonal: only elements (i, i) with i < m are
 * read and written, c and d are [m], and tile t starts at row and column 8 t; else d is [m,n]. */
struct cf_cuda_mma {
    const void *a, *b, *c;
    void *d;
    long long m, n, k; /* k: words of a row, a multiple of an instruction's: 8 (f64: 4) */
    int diagonal;
};

/* What kind of operands, and of sums: f32, but of the last two. */
enum cf_cuda_unit {
    CF_CUDA_MMA_F16,
    CF_CUDA_MMA_BF16,
    CF_CUDA_MMA_TF32,
    CF_CUDA_MMA_E4M3,
    CF_CUDA_MMA_E5M2,
    CF_CUDA_MMA_F16_F16,
    CF_CUDA_MMA_F64
};

#endif
