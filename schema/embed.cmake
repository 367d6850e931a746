# embed.cmake - turns the data of this folder into C, at build time, with CMake alone
#
#     cmake -D SOURCE=<this folder> -D OUTPUT=<build>/schema_data.c -P embed.cmake
#
# schema.sql, migrations/NNNN.sql -> schema_migrations[]    step 1 is schema.sql, step n is NNNN.sql
# views.sql                       -> schema_views_sql[]
# README.md                       -> schema_readme[]        what `fieldedge schema` shows
# applications.tsv                -> schema_applications[]  sorted by transport, then port
# protocols.tsv                   -> schema_protocols[]     sorted by filter name
#
# The order of the lines in a .tsv is for people; here they are sorted for bsearch().  A line that is
# not of the form its file promises, a second line for the same key and a missing migration stop the
# build with the name of the file and the number of the line.
#
# SPDX-License-Identifier: GPL-2.0-or-later
cmake_minimum_required(VERSION 3.18)

# The bytes of a file as a C array of characters, closed by a zero.
function(embed_text file array linkage)
    file(READ "${file}" bytes HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
    string(REGEX REPLACE "(......,......,......,......,......,......,......,......,)" "\\1\n    "
           bytes "${bytes}")
    string(APPEND code "${linkage}const char ${array}[] = {\n    ${bytes}0};\n\n")
    set(code "${code}" PARENT_SCOPE)
endfunction()

# The lines of a table that match pattern, each as "<number of the line>\t<line>", in `lines`.
function(read_table file pattern form)
    file(READ "${file}" text)
    string(REGEX REPLACE "[][;\\\\\"]" "?" text "${text}") # what CMake's lists and C strings give a meaning
    string(REPLACE "\n" ";" text "${text}")
    set(lines "")
    set(number 0)
    foreach(line IN LISTS text)
        math(EXPR number "${number} + 1")
        if(line STREQUAL "" OR line MATCHES "^#")
            continue()
        endif()
        if(NOT line MATCHES "${pattern}")
            message(FATAL_ERROR "${file}:${number}: write ${form}, with one tab between, not: ${line}")
        endif()
        list(APPEND lines "${number}\t${line}")
    endforeach()
    set(lines "${lines}" PARENT_SCOPE)
endfunction()

# Adds a row under its key to `rows`; the key decides the order.
macro(add_row file number key row)
    set(seen "line of ${key}")
    if(DEFINED "${seen}")
        message(FATAL_ERROR "${file}:${number}: the same port or protocol is in line ${${seen}}")
    endif()
    set("${seen}" "${number}")
    list(APPEND rows "${key}\t${row}") # a tab sorts before any character of a key, as strcmp() does
endmacro()

# The sorted rows as a C array, and their number.
macro(close_table type array)
    list(SORT rows COMPARE STRING)
    list(LENGTH rows length)
    list(TRANSFORM rows REPLACE "^[^\t]*\t" "    ")
    list(JOIN rows "\n" body)
    string(APPEND code "const struct ${type} ${array}[] = {\n${body}\n};\n"
                       "const size_t ${array}_count = ${length};\n\n")
    set(rows "")
endmacro()

set(code "/* Made by schema/embed.cmake from the files of schema/.  Edit those. */\n")
string(APPEND code "#include \"schema/schema.h\"\n\n")

# Steps: the files 0002.sql, 0003.sql … without a gap, and SCHEMA_VERSION the last of them.
embed_text("${SOURCE}/schema.sql" step_1 "static ")
set(steps "    {1, step_1},\n")
set(version 1)
file(GLOB files RELATIVE "${SOURCE}/migrations" "${SOURCE}/migrations/*.sql")
list(SORT files COMPARE STRING)
foreach(file IN LISTS files)
    math(EXPR version "${version} + 1")
    math(EXPR padded "10000 + ${version}")
    string(SUBSTRING "${padded}" 1 4 padded)
    if(NOT file STREQUAL "${padded}.sql")
        message(FATAL_ERROR "${SOURCE}/migrations/${file}: the next migration is ${padded}.sql")
    endif()
    embed_text("${SOURCE}/migrations/${file}" step_${version} "static ")
    string(APPEND steps "    {${version}, step_${version}},\n")
endforeach()
string(APPEND code
       "_Static_assert(SCHEMA_VERSION == ${version},\n"
       "               \"SCHEMA_VERSION in schema.h is not the last step in schema/migrations\");\n"
       "const struct schema_migration schema_migrations[] = {\n${steps}};\n"
       "const size_t schema_migrations_count = ${version};\n\n")
embed_text("${SOURCE}/views.sql" schema_views_sql "")
embed_text("${SOURCE}/README.md" schema_readme "")

set(rows "")
set(file "${SOURCE}/applications.tsv")
read_table("${file}" "^(TCP|UDP|SCTP)\t[1-9][0-9]*\t[A-Z0-9]([A-Z0-9_]*[A-Z0-9])?$"
           "transport, port, name (TCP, 502, MODBUS)")
foreach(line IN LISTS lines)
    string(REGEX MATCH "^([0-9]+)\t([A-Z]+)\t([0-9]+)\t(.*)$" line "${line}")
    set(number ${CMAKE_MATCH_1})
    set(transport ${CMAKE_MATCH_2})
    set(port ${CMAKE_MATCH_3})
    set(name ${CMAKE_MATCH_4})
    if(port GREATER 65535)
        message(FATAL_ERROR "${file}:${number}: there is no port ${port}")
    endif()
    math(EXPR padded "100000 + ${port}")
    add_row("${file}" ${number} "${transport} ${padded}" "{\"${transport}\", ${port}, \"${name}\"},")
endforeach()
close_table(schema_application schema_applications)

set(file "${SOURCE}/protocols.tsv")
read_table("${file}"
           "^[A-Za-z0-9_.-]+\t(names|carries|secures|by_port|silent|payload)\t(-|[A-Z0-9]([A-Z0-9_]*[A-Z0-9])?)$"
           "filter name, role, name or - (mbtcp, names, MODBUS)")
foreach(line IN LISTS lines)
    string(REGEX MATCH "^([0-9]+)\t([^\t]+)\t([a-z_]+)\t(.*)$" line "${line}")
    set(number ${CMAKE_MATCH_1})
    set(filter_name ${CMAKE_MATCH_2})
    set(role ${CMAKE_MATCH_3})
    set(name ${CMAKE_MATCH_4})
    string(TOUPPER "SCHEMA_PROTOCOL_${role}" role)
    if(name STREQUAL "-")
        set(name "NULL")
    else()
        set(name "\"${name}\"")
    endif()
    add_row("${file}" ${number} "${filter_name}" "{\"${filter_name}\", ${role}, ${name}},")
endforeach()
close_table(schema_protocol schema_protocols)

file(WRITE "${OUTPUT}" "${code}")
