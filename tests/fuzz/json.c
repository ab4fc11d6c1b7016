/* json.c - bodies as JSON and back: what passes one way comes back as it was.
 *
 * The input is read twice, as a packed value and as JSON text.
 */
#include "fuzz.h"
#include "json.h"

/* JSON made of a packed value, packed, and made into JSON once more. */
static void packed_comes_back(est_slice bytes) {
    json_t *json = json_from_msgpack(bytes);
    if (!json)
        return;
    struct buffer packed;
    buffer_init(&packed);
    CLAIM(json_to_msgpack(json, &packed), "JSON that came of a value cannot be packed");
    json_t *again = json_from_msgpack(buffer_slice(&packed));
    CLAIM(again && json_equal(json, again), "a value is another after JSON");
    json_decref(again);
    json_decref(json);
    buffer_done(&packed);
}

/* There are two texts that pack and do not come back: of more elements than a body may have. */
static void text_comes_back(est_slice bytes) {
    json_t *json = json_loadb(bytes.data, bytes.size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (!json)
        return;
    struct buffer packed;
    buffer_init(&packed);
    pack_nil(&packed); /* must stay, whatever is appended or refused */
    if (json_to_msgpack(json, &packed)) {
        est_slice value = {packed.data + 1, packed.size - 1};
        json_t *again = json_from_msgpack(value);
        CLAIM(again ? json_equal(json, again) : value.size > EST_ITEMS_MAX, "JSON is another after packing");
        json_decref(again);
    } else {
        CLAIM(packed.size == 1, "a refusal left bytes behind");
    }
    json_decref(json);
    buffer_done(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    packed_comes_back((est_slice){data, size});
    text_comes_back((est_slice){data, size});
    return 0;
}
