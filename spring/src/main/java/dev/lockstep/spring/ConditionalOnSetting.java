package dev.lockstep.spring;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.core.annotation.MergedAnnotation;
import org.springframework.core.type.AnnotatedTypeMetadata;
import org.springframework.util.StringUtils;

/** Whether a property is set. An empty one is not, so that {@code ${PRIMARY_URL:}} may stand for it. */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Conditional(ConditionalOnSetting.OnSetting.class)
@interface ConditionalOnSetting {

    /** Name of the property. */
    String value();

    /** False to ask that it is not set. */
    boolean set() default true;

    /** Decides it. */
    final class OnSetting extends SpringBootCondition {

        @Override
        public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
            MergedAnnotation<ConditionalOnSetting> asked =
                    metadata.getAnnotations().get(ConditionalOnSetting.class);
            String name = asked.getString("value");
            boolean set = StringUtils.hasText(context.getEnvironment().getProperty(name));
            return new ConditionOutcome(
                    asked.getBoolean("set") == set,
                    ConditionMessage.forCondition("Lockstep").because(name + (set ? " is set" : " is not set")));
        }
    }
}
