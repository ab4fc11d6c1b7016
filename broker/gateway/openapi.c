/* openapi.c - GET /v1/openapi.yaml: the very file of the source tree, inside the program. */
#include "route.h"

/* OPENAPI_FILE comes from CMake, which builds this anew when the file changes. */
__asm__(".section .rodata\n"
        "openapi_start: .incbin \"" OPENAPI_FILE "\"\n"
        "openapi_end: .byte 0\n"
        ".previous\n");
extern const char openapi_start[], openapi_end[];

void handle_openapi(struct request *r) {
    size_t size = (size_t)(openapi_end - openapi_start);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, (void *)openapi_start, MHD_RESPMEM_PERSISTENT);
    request_response(r, MHD_HTTP_OK, response);
    request_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "application/yaml");
    request_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
}
