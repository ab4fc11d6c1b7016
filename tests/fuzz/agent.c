/* agent.c - an agent's file and the statements in it.
 *
 * An input whose first line is `-- statement` is the text of an SQL statement; any other is a
 * whole agent.yaml. No back end is opened: one of them would start the program that the file
 * names. Instead backend_open below reads its section and lets it go, and the linker takes it
 * before the library's own.
 */
#include "fuzz.h"
#include "exec_config.h"
#include "profile.h"
#include "sql_config.h"
#include "sql_text.h"

#include <string.h>

static struct complaints complaints;

/* --- Instead of back ends ---------------------------------------------------------------------- */

static void sql_read(const struct backend_file *file, yaml_node section) {
    struct sql_config config;
    if (sql_config_read(file->yaml, file->complaints, section, &config))
        return;
    CLAIM(config.type_count > 0 && config.type_count <= SQL_TYPES_MAX, "as many types as it should not have");
    for (size_t i = 0; i < config.type_count; i++)
        CLAIM(config.types[i].text.statement && config.types[i].field_count <= SQL_FIELDS_MAX,
              "a type that cannot be asked");
    sql_config_done(&config);
}

static void exec_read(const struct backend_file *file, yaml_node section, unsigned workers) {
    struct exec_config config;
    if (exec_config_read(file, section, workers, &config))
        return;
    CLAIM(config.command[0] && config.folder, "no command after all");
    CLAIM(config.timeout.us > 0 && config.at_once > 0 && config.at_once <= WORKERS_MAX,
          "a limit out of its range");
    exec_config_done(&config);
}

struct backend *backend_open(const struct backend_file *file, yaml_node root,
                             const struct backend_room *room) {
    if (yaml_get(root, "sql"))
        sql_read(file, yaml_get(root, "sql"));
    if (yaml_get(root, "exec"))
        exec_read(file, yaml_get(root, "exec"), room->workers);
    return NULL;
}

void backend_close(struct backend **backend) {
    *backend = NULL;
}

/* --- Statements -------------------------------------------------------------------------------- */

/* Each :name or :name? became a ?, and nothing else changed its length; only a last ; may be cut off. */
static void statement_rewrite(const char *source) {
    struct sql_text text, again;
    const char *why = NULL;
    sql_text_is_query(source);
    if (sql_text_parse(source, &text, &why)) {
        CLAIM(why && *why, "refused without a reason");
        return;
    }
    CLAIM(text.count <= SQL_PARAMETERS_MAX, "more values than there is room");
    size_t used = strlen(text.statement), marks = 0;
    for (size_t i = 0; i < text.count; i++)
        used += strlen(text.names[i]) + text.may_lack[i];
    for (const char *c = text.statement; *c; c++)
        marks += *c == '?';
    CLAIM(marks >= text.count, "a name without its mark");
    CLAIM(used <= strlen(source) && (source[used] == '\0' || source[used] == ';'),
          "a statement of another length");
    if (text.count == 0) {
        CLAIM(strncmp(source, text.statement, used) == 0, "a statement without names changed");
        CLAIM(sql_text_parse(text.statement, &again, &why) == 0, "a statement without names is refused");
        sql_text_done(&again);
    }
    sql_text_done(&text);
}

/* --- The target -------------------------------------------------------------------------------- */

static void profile_read(est_slice text) {
    struct profile profile;
    struct backend_room room = {.workers = WORKERS_DEFAULT};
    memset(&complaints, 0, sizeof complaints);
    fuzz_write("agent.yaml", text);
    if (profile_open(fuzz_path("agent.yaml"), &complaints, &room, &profile)) {
        CLAIM(complaints.count > 0 && complaints.at[0].text[0], "refused without a complaint");
        return;
    }
    CLAIM(profile.options.broker.account && profile.options.broker.endpoints[0],
          "nobody to be, or nowhere to go");
    CLAIM(room.workers >= 1 && room.workers <= WORKERS_MAX, "as many workers as it should not have");
    profile_close(&profile);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char key[] = "public: \"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\"\n"
                              "secret: \"D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs\"\n";
    static bool ready;
    if (!ready)
        fuzz_write("agent.key", (est_slice){key, sizeof key - 1});
    ready = true;
    est_slice rest = {data, size};
    if (fuzz_is(fuzz_line(&rest), "-- statement"))
        statement_rewrite(fuzz_text(rest));
    else
        profile_read((est_slice){data, size});
    return 0;
}
