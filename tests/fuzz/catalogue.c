/* catalogue.c - a city's files, as an office may write them: loaded, or complained about.
 *
 * The first line says which file of a small town, Kuchak, the input takes the place of:
 *
 *     # city.yaml, # departments.yaml, # types.yaml, # accounts.yaml, # broker.yaml: that file
 *     # definition: a stored definition of a type
 *
 * Without such a line it is a YAML document of any kind, walked and made canonical.
 */
#include "fuzz.h"
#include "catalogue.h"

#include <string.h>
#include <sys/stat.h>

static struct complaints complaints;

/* --- The town ---------------------------------------------------------------------------------- */

#define KEYS "keys: [{public: \"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\"}]"
static const char accounts_text[] =
    "accounts:\n"
    "  portal: {role: requester, asks: [{types: all, purposes: all}], " KEYS "}\n";

static const char broker_text[] =
    "catalogue: .\naccounts: accounts.yaml\nstore: {directory: store}\nsecurity: curve\nkey: broker.key\n"
    "listen: {requesters: \"tcp://127.0.0.1:7501\", departments: \"tcp://127.0.0.1:7502\",\n"
    "         operators: \"tcp://127.0.0.1:7503\"}\n";

/* The pair of libzmq's manual. */
static const char key_text[] = "public: \"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\"\n"
                               "secret: \"JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6\"\n";

/* A file of the town: its text is ours, or of the deployed Kuchak. */
static struct part {
    const char *name, *source;
    est_slice text;
} parts[] = {
    {"city.yaml", FUZZ_DEPLOY "/kuchak/city.yaml", {NULL, 0}},
    {"departments.yaml", FUZZ_DEPLOY "/kuchak/departments.yaml", {NULL, 0}},
    {"types/types.yaml", FUZZ_DEPLOY "/kuchak/types/kuchak.yaml", {NULL, 0}},
    {"accounts.yaml", NULL, {accounts_text, sizeof accounts_text - 1}},
    {"broker.yaml", NULL, {broker_text, sizeof broker_text - 1}},
    {"broker.key", NULL, {key_text, sizeof key_text - 1}},
};
enum { PARTS = sizeof parts / sizeof parts[0] };

static struct catalogue *kuchak; /* as it is deployed */

static void town_make(void) {
    CLAIM(mkdir(fuzz_path("types"), 0700) == 0, "no folder can be made");
    for (size_t i = 0; i < PARTS; i++) {
        if (parts[i].source)
            parts[i].text = fuzz_file(parts[i].source);
        fuzz_write(parts[i].name, parts[i].text);
    }
    catalogue_load(fuzz_path("broker.yaml"), &kuchak, &complaints);
    CLAIM(kuchak, complaints.at[0].text);
}

/* --- What must hold ---------------------------------------------------------------------------- */

static void complaints_are_told(void) {
    CLAIM(complaints.count > 0 && complaints.kept > 0, "refused without a complaint");
    for (size_t i = 0; i < complaints.kept; i++) {
        const struct complaint *c = &complaints.at[i];
        CLAIM(c->where[0] && c->text[0], "a complaint says nothing");
        CLAIM(memchr(c->where, 0, sizeof c->where) && memchr(c->text, 0, sizeof c->text),
              "a complaint has no end");
        CLAIM(utf8_is_valid(slice_of(c->text)), "a complaint is not UTF-8");
    }
}

/* Found by its name, and made again from its stored definition. */
static void type_is_sound(const struct catalogue *city, const struct ctype *type) {
    struct ctype *again = NULL;
    CLAIM(catalogue_type(city, slice_of(type->name)) == type, "a type is not found by its name");
    CLAIM(ctype_parse(slice_of(type->definition), &city->city, &again) == 0, "a stored type is refused");
    CLAIM(strcmp(again->definition, type->definition) == 0, "a stored type has another definition");
    ctype_free(&again);
}

static void catalogue_is_sound(const struct catalogue *city) {
    for (size_t i = 0; i < city->types_count; i++)
        type_is_sound(city, &city->types[i]);
    for (size_t i = 0; i < city->accounts_count; i++)
        CLAIM(catalogue_account(city, slice_of(city->accounts[i].name)) == &city->accounts[i],
              "an account is not found by its name");
    CLAIM(complaints.count == 0, "loaded in spite of complaints");
}

/* --- What is done with the input --------------------------------------------------------------- */

static void town_load(const struct part *part, est_slice text) {
    struct catalogue *city = NULL;
    fuzz_write(part->name, text);
    if (catalogue_load(fuzz_path("broker.yaml"), &city, &complaints) == 0)
        catalogue_is_sound(city);
    else
        complaints_are_told();
    catalogue_free(&city);
    fuzz_write(part->name, part->text);
}

static void definition_parse(est_slice text) {
    struct ctype *type = NULL, *again = NULL;
    if (ctype_parse(text, &kuchak->city, &type) != 0)
        return;
    CLAIM(ctype_parse(slice_of(type->definition), &kuchak->city, &again) == 0,
          "its own definition is refused");
    CLAIM(strcmp(type->definition, again->definition) == 0, "a definition changes when read again");
    ctype_free(&again);
    ctype_free(&type);
}

static void node_walk(struct yaml *yaml, yaml_node node, int depth) {
    const char *key;
    yaml_node value;
    CLAIM(depth <= YAML_DEPTH_MAX, "deeper than a document may be");
    if (yaml_is_map(node))
        for (size_t i = 0; yaml_pair(yaml, node, i, &key, &value); i++)
            node_walk(yaml, value, depth + 1);
    if (yaml_is_list(node))
        for (size_t i = 0; i < yaml_count(node); i++)
            node_walk(yaml, yaml_at(node, i), depth + 1);
    yaml_text(yaml, node, "");
    yaml_int(yaml, node, INT64_MIN, INT64_MAX, 0);
    yaml_bool(yaml, node, false);
    CLAIM(yaml_span(yaml, node, (est_span){0}).us >= 0, "a negative span");
    yaml_bytes(yaml, node, 0);
}

static void document_walk(est_slice text) {
    struct yaml *yaml, *again;
    if (yaml_open_text(text, "input", &complaints, &yaml) != 0) {
        complaints_are_told();
        return;
    }
    const char *canonical = yaml_canonical(yaml, yaml_root(yaml));
    CLAIM(canonical, "a document without a canonical form");
    CLAIM(yaml_open_text(slice_of(canonical), "canonical", &complaints, &again) == 0,
          "the canonical form is refused");
    const char *second = yaml_canonical(again, yaml_root(again));
    CLAIM(second && strcmp(canonical, second) == 0, "the canonical form changes when read again");
    yaml_close(&again);
    node_walk(yaml, yaml_root(yaml), 0);
    yaml_close(&yaml);
}

/* "# city.yaml" and so on; the types' folder is not in the name. */
static const struct part *part_of(est_slice line) {
    est_slice rest = line;
    if (!fuzz_is(fuzz_word(&rest), "#"))
        return NULL;
    for (size_t i = 0; i < PARTS; i++) {
        const char *slash = strchr(parts[i].name, '/');
        if (fuzz_is(rest, slash ? slash + 1 : parts[i].name))
            return &parts[i];
    }
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    est_slice whole = {data, size}, rest = whole;
    if (!kuchak)
        town_make();
    memset(&complaints, 0, sizeof complaints);
    est_slice line = fuzz_line(&rest);
    const struct part *part = part_of(line);
    if (part)
        town_load(part, whole);
    else if (fuzz_is(line, "# definition"))
        definition_parse(whole);
    else
        document_walk(whole);
    return 0;
}
