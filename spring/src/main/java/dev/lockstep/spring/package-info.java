/** Spring Boot configures a primary or a replica, with its data source, health and metrics, from properties. docs/spring.md is the manual. */
@NullMarked
package dev.lockstep.spring;

import org.jspecify.annotations.NullMarked;
