# The session engine is free of I/O, clock, entropy and threads: all it may call from outside is
# named here. cmake -DLIBRARY=... -P purity.cmake
cmake_minimum_required(VERSION 3.25)
set(allowed calloc free realloc malloc memcpy memset memcmp memmove strlen snprintf
    # our own codec and messages
    buffer_clear buffer_done buffer_grow buffer_init cursor_init cursor_peek_long cursor_text cursor_uint_long cursor_value defect_next
    est_code_text frame_begin frame_open message_fault message_next message_pack pack_array pack_cstr pack_text pack_uint_long
    protocol_field rows_open slice_equal strcmp utf8_is_valid_long verb_direction verb_doors verb_size)
execute_process(COMMAND nm -u ${LIBRARY} OUTPUT_VARIABLE undefined RESULT_VARIABLE failed)
execute_process(COMMAND nm --defined-only ${LIBRARY} OUTPUT_VARIABLE defined)
string(REGEX MATCHALL " U [A-Za-z_0-9]+" wants "${undefined}")
if(failed OR NOT wants)
  message(FATAL_ERROR "nm read nothing from ${LIBRARY}")
endif()
foreach(want ${wants})
  string(SUBSTRING ${want} 3 -1 name)
  if(name MATCHES "^(__asan|__ubsan|__stack_chk|_GLOBAL_OFFSET_TABLE_|__.*_chk$)" OR defined MATCHES " [TtDdRrBb] ${name}\n")
    continue()
  endif()
  if(NOT name IN_LIST allowed)
    message(FATAL_ERROR "the session engine calls ${name}, which is not on its list")
  endif()
endforeach()
