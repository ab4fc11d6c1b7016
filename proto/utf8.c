/* utf8.c - texts eight bytes at a time, and thirty-two where the processor can.
 *
 * The plain way takes a word of eight bytes by what each of them is: every lead byte announces so
 * many continuation bytes, and they must be there and nowhere else. Leads whose second byte has
 * bounds of its own (E0, ED, F0 and above) and those that are never good (C0, C1) go to the loop by
 * characters, which knows all the rules and is the only judge of what is wrong.
 *
 * With AVX2, which a processor is asked for when it runs, all rules are looked up for 32 bytes at
 * once. Debian 12 has no library in C that does either.
 */
#include "utf8.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define WITH_AVX2 __attribute__((target("avx2")))
#endif

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define TOP_BITS  (EACH_BYTE * 0x80)
enum { WORD = sizeof(uint64_t) };

/* The masks below are little-endian's; other machines go by characters. */
static const bool words_are_read = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

static inline uint64_t word_load(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* The last `size` bytes before `end`, fewer than eight, with zeroes behind them. `all` is how many
 * bytes there are before `end` that may be read. */
static inline uint64_t tail_load(const uint8_t *end, size_t size, size_t all) {
    uint32_t first, last;
    if (all >= WORD)
        return word_load(end - WORD) >> (8 * (WORD - size));
    if (size >= sizeof first) { /* two halves, which may overlap */
        memcpy(&first, end - size, sizeof first);
        memcpy(&last, end - sizeof last, sizeof last);
        return first | (uint64_t)last << (8 * (size - sizeof last));
    }
    const uint8_t *at = end - size;
    return at[0] | (uint64_t)at[size / 2] << (8 * (size / 2)) | (uint64_t)at[size - 1] << (8 * (size - 1));
}

/* --- Is it UTF-8? By characters ------------------------------------------------------------------- */

/* Length of the sequence that begins with `lead`, and the bounds of its second byte, which are
 * what keeps out overlong forms, surrogates and numbers above U+10FFFF. 0: not a lead byte. */
static size_t lead_length(uint8_t lead, uint8_t *ret_low, uint8_t *ret_high) {
    *ret_low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    *ret_high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* The length of the character that begins here; 0 where none does. */
static size_t character_length(const uint8_t *at, const uint8_t *end) {
    uint8_t low, high;
    if (*at < 0x80)
        return 1;
    size_t length = lead_length(*at, &low, &high);
    if (length == 0 || (size_t)(end - at) < length || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* --- By words of eight bytes ---------------------------------------------------------------------- */

/* The top bit of each byte that is zero. Of bytes below 0x80 only. */
static inline uint64_t zeroes(uint64_t low_bytes) {
    return ~(low_bytes + EACH_BYTE * 0x7f) & TOP_BITS;
}

/* Does the word follow from what the one before it owes, which is the top bit of each byte that must
 * be a continuation? Then *owed is what this one owes. False as well where a closer look is needed. */
static inline bool word_is_good(uint64_t word, uint64_t *owed) {
    uint64_t lead = word & word << 1 & TOP_BITS; /* 11xxxxxx */
    uint64_t more = word & ~(word << 1) & TOP_BITS;
    uint64_t three = lead & word << 2, two = lead ^ three; /* three, or four */
    uint64_t special = two & zeroes(word & EACH_BYTE * 0x1e);
    uint64_t expected = two << 8 | *owed, next = two >> 56;
    if (three != 0) {
        uint64_t low = word & EACH_BYTE * 0x0f;
        special |= three & (word << 3 | zeroes(low) | zeroes(low ^ EACH_BYTE * 0x0d));
        expected |= three << 8 | three << 16;
        next |= three >> 56 | three >> 48;
    }
    *owed = next;
    return special == 0 && expected == more;
}

/* The place up to which words are good, at the beginning of a character; `end` when all is. */
static inline const uint8_t *words_skip(const uint8_t *at, const uint8_t *end, const uint8_t *start) {
    uint64_t owed = 0, before = 0;
    bool good = words_are_read;
    while (good && end - at >= WORD) {
        uint64_t word = word_load(at);
        before = owed;
        good = ((word & TOP_BITS) | owed) == 0 || word_is_good(word, &owed);
        at += good ? WORD : 0;
    }
    if (good && at < end) { /* a character that is cut misses its bytes among the zeroes */
        uint64_t word = tail_load(end, (size_t)(end - at), (size_t)(end - start));
        before = owed;
        if (((word & TOP_BITS) | owed) == 0 || word_is_good(word, &owed))
            return end;
        good = false;
    }
    if ((good ? owed : before) != 0) /* back to the lead byte that announced them */
        while ((*--at & 0xc0) == 0x80)
            continue;
    return at;
}

bool utf8_is_valid_plain(est_slice text) {
    if (text.size == 0)
        return true;
    const uint8_t *start = text.data, *at = start, *end = start + text.size;
    while (at < end) {
        at = words_skip(at, end, start);
        if (at == end)
            break;
        size_t length = character_length(at, end);
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}

static inline uint64_t word_scan(uint64_t word, uint64_t *odd) {
    uint64_t deleted = word ^ 0x7f * EACH_BYTE;
    *odd |= (((word - 0x20 * EACH_BYTE) & ~word) | ((deleted - EACH_BYTE) & ~deleted)) & TOP_BITS;
    return word >> 7 & ~word >> 6 & EACH_BYTE; /* 1 for each continuation */
}

static inline size_t bytes_add(uint64_t sums) {
    uint64_t pairs = (sums & 0x00ff00ff00ff00ffU) + (sums >> 8 & 0x00ff00ff00ff00ffU);
    return (size_t)(pairs * 0x0001000100010001U >> 48);
}

enum { ADDED_MAX = 255 }; /* before the sum of a byte's place would overflow */

struct utf8_scan utf8_scan_plain(est_slice text) {
    const uint8_t *at = text.data;
    size_t continuations = 0, words = text.size / WORD;
    uint64_t odd = 0, last = 0x20 * EACH_BYTE; /* the end is filled up with blanks */
    while (words > 0) {
        size_t run = words < ADDED_MAX ? words : ADDED_MAX;
        uint64_t sums = 0;
        for (size_t n = 0; n < run; n++, at += WORD)
            sums += word_scan(word_load(at), &odd);
        continuations += bytes_add(sums);
        words -= run;
    }
    if (text.size % WORD)
        memcpy(&last, at, text.size % WORD);
    continuations += bytes_add(word_scan(last, &odd));
    return (struct utf8_scan){text.size - continuations, odd != 0};
}

/* --- By blocks of thirty-two ---------------------------------------------------------------------- */

/* "Validating UTF-8 In Less Than One Instruction Per Byte" (Keiser and Lemire, 2020). What can be
 * wrong with two bytes in a row shows in three halves of them: the first byte's high and low four
 * bits and the second's high four. Three tables say for each half which mistakes it would be part
 * of, and a mistake that all three name is one. The last of them, two continuations in a row, is
 * none if the byte two before begins three bytes or more, or the byte three before four. */
#ifdef WITH_AVX2

enum { BLOCK = 32, BEFORE = 3 /* bytes that a byte is judged by */ };

enum mistake {
    TOO_SHORT = 1 << 0,  /* a lead, and no continuation */
    TOO_LONG = 1 << 1,   /* ASCII, and a continuation */
    OVERLONG_3 = 1 << 2, /* E0 80 ... 9F */
    TOO_LARGE = 1 << 3,  /* F4 90 and above */
    SURROGATE = 1 << 4,  /* ED A0 and above */
    OVERLONG_2 = 1 << 5, /* C0, C1 */
    OVERLONG_4 = 1 << 6, /* F0 80 ... 8F; and F5 to FF before 80 ... 8F, which are too large */
    TWO_MORE = 1 << 7,   /* two continuations */
    ANY_LOW = TOO_SHORT | TOO_LONG | TWO_MORE, /* whatever the low half is */
    ABOVE_F4 = ANY_LOW | TOO_LARGE | OVERLONG_4,
};

/* Each table twice, since shuffles stay within 16 bytes. */
#define TABLE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)
#define M(mistakes) ((char)(mistakes))

WITH_AVX2 static inline __m256i first_high_says(__m256i half) {
    const __m256i table =
        TABLE(M(TOO_LONG), M(TOO_LONG), M(TOO_LONG), M(TOO_LONG), M(TOO_LONG), M(TOO_LONG), M(TOO_LONG),
              M(TOO_LONG), M(TWO_MORE), M(TWO_MORE), M(TWO_MORE), M(TWO_MORE), M(TOO_SHORT | OVERLONG_2),
              M(TOO_SHORT), M(TOO_SHORT | OVERLONG_3 | SURROGATE), M(TOO_SHORT | TOO_LARGE | OVERLONG_4));
    return _mm256_shuffle_epi8(table, half);
}

WITH_AVX2 static inline __m256i first_low_says(__m256i half) {
    const __m256i table =
        TABLE(M(ANY_LOW | OVERLONG_2 | OVERLONG_3 | OVERLONG_4), M(ANY_LOW | OVERLONG_2), M(ANY_LOW),
              M(ANY_LOW), M(ANY_LOW | TOO_LARGE), M(ABOVE_F4), M(ABOVE_F4), M(ABOVE_F4), M(ABOVE_F4),
              M(ABOVE_F4), M(ABOVE_F4), M(ABOVE_F4), M(ABOVE_F4), M(ABOVE_F4 | SURROGATE), M(ABOVE_F4),
              M(ABOVE_F4));
    return _mm256_shuffle_epi8(table, half);
}

WITH_AVX2 static inline __m256i second_high_says(__m256i half) {
    enum { ANY_MORE = TOO_LONG | OVERLONG_2 | TWO_MORE };
    const __m256i table =
        TABLE(M(TOO_SHORT), M(TOO_SHORT), M(TOO_SHORT), M(TOO_SHORT), M(TOO_SHORT), M(TOO_SHORT),
              M(TOO_SHORT), M(TOO_SHORT), M(ANY_MORE | OVERLONG_3 | OVERLONG_4),
              M(ANY_MORE | OVERLONG_3 | TOO_LARGE), M(ANY_MORE | SURROGATE | TOO_LARGE),
              M(ANY_MORE | SURROGATE | TOO_LARGE), M(TOO_SHORT), M(TOO_SHORT), M(TOO_SHORT), M(TOO_SHORT));
    return _mm256_shuffle_epi8(table, half);
}

WITH_AVX2 static inline __m256i high_half(__m256i bytes) {
    return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0f));
}

/* Not zero where something is wrong. The bytes, and those one, two and three before each. */
WITH_AVX2 static inline __m256i mistakes(__m256i bytes, __m256i one, __m256i two, __m256i three) {
    __m256i low = _mm256_and_si256(one, _mm256_set1_epi8(0x0f));
    __m256i named = _mm256_and_si256(_mm256_and_si256(first_high_says(high_half(one)), first_low_says(low)),
                                     second_high_says(high_half(bytes)));
    /* Minus so much that the top bit stays only of E0 and above, of F0 and above. */
    __m256i third = _mm256_subs_epu8(two, _mm256_set1_epi8((char)(0xe0 - 0x80)));
    __m256i fourth = _mm256_subs_epu8(three, _mm256_set1_epi8((char)(0xf0 - 0x80)));
    __m256i owed = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
    return _mm256_xor_si256(named, owed);
}

WITH_AVX2 static inline __m256i block_load(const uint8_t *at) {
    return _mm256_loadu_si256((const __m256i *)at);
}

WITH_AVX2 static inline __m256i first_mistakes(const uint8_t *at) {
    __m256i bytes = block_load(at);
    __m256i before = _mm256_permute2x128_si256(bytes, bytes, 0x08); /* zeroes, and the first sixteen */
    return mistakes(bytes, _mm256_alignr_epi8(bytes, before, 15), _mm256_alignr_epi8(bytes, before, 14),
                    _mm256_alignr_epi8(bytes, before, 13));
}

WITH_AVX2 static inline __m256i next_mistakes(const uint8_t *at) {
    return mistakes(block_load(at), block_load(at - 1), block_load(at - 2), block_load(at - 3));
}

/* At least BLOCK + BEFORE bytes. The last block is looked at from the end, so that some bytes may be
 * looked at twice: each is judged by itself and the three before it. */
WITH_AVX2 static bool blocks_are_valid(const uint8_t *at, size_t size) {
    const uint8_t *end = at + size;
    __m256i wrong = first_mistakes(at);
    for (at += BLOCK; end - at > BLOCK; at += BLOCK)
        wrong = _mm256_or_si256(wrong, next_mistakes(at));
    wrong = _mm256_or_si256(wrong, next_mistakes(end - BLOCK));
    bool is_cut = end[-1] >= 0xc0 || end[-2] >= 0xe0 || end[-3] >= 0xf0;
    return _mm256_testz_si256(wrong, wrong) && !is_cut;
}

/* Adds to a sum for each place and to what is odd. */
WITH_AVX2 static inline void block_scan(__m256i bytes, __m256i *sums, __m256i *odd) {
    __m256i is_low = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes);
    __m256i is_7f = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7f));
    *odd = _mm256_or_si256(*odd, _mm256_or_si256(is_low, is_7f));
    *sums = _mm256_sub_epi8(*sums, _mm256_cmpgt_epi8(_mm256_set1_epi8((char)0xc0), bytes));
}

WITH_AVX2 static inline size_t sums_add(__m256i sums) {
    __m256i four = _mm256_sad_epu8(sums, _mm256_setzero_si256());
    __m128i two = _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));
    return (size_t)_mm_cvtsi128_si64(two) + (size_t)_mm_extract_epi64(two, 1);
}

/* At least BLOCK bytes. */
WITH_AVX2 static struct utf8_scan blocks_scan(const uint8_t *at, size_t size) {
    static const uint8_t unseen[2 * BLOCK] = {[BLOCK] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                              0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                              0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                              0xff};
    const uint8_t *end = at + size;
    size_t continuations = 0;
    __m256i odd = _mm256_setzero_si256(), sums = odd;
    for (size_t added = 0; end - at >= BLOCK; at += BLOCK) {
        block_scan(block_load(at), &sums, &odd);
        if (++added == ADDED_MAX - 1) {
            continuations += sums_add(sums);
            sums = _mm256_setzero_si256();
            added = 0;
        }
    }
    size_t left = (size_t)(end - at);
    __m256i last = _mm256_blendv_epi8(_mm256_set1_epi8(' '), block_load(end - BLOCK),
                                      block_load(unseen + left));
    block_scan(last, &sums, &odd);
    continuations += sums_add(sums);
    return (struct utf8_scan){size - continuations, !_mm256_testz_si256(odd, odd)};
}

bool utf8_is_valid_long(est_slice text) {
    if (text.size >= BLOCK + BEFORE && __builtin_cpu_supports("avx2"))
        return blocks_are_valid(text.data, text.size);
    return utf8_is_valid_plain(text);
}

struct utf8_scan utf8_scan(est_slice text) {
    if (text.size >= BLOCK && __builtin_cpu_supports("avx2"))
        return blocks_scan(text.data, text.size);
    return utf8_scan_plain(text);
}

#else

bool utf8_is_valid_long(est_slice text) {
    return utf8_is_valid_plain(text);
}

struct utf8_scan utf8_scan(est_slice text) {
    return utf8_scan_plain(text);
}

#endif
