package dev.lockstep;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/**
 * The arrows of ARCHITECTURE.md: what each package may use of the others. A package left out of a list is out of bounds for it;
 * the root package's positions, progress and failures are open to all.
 */
@AnalyzeClasses(packages = "dev.lockstep", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {

    private static final String ROOT = "dev.lockstep";

    private static final DescribedPredicate<JavaClass> VALUES = DescribedPredicate.describe(
            "the root package's positions, progress and failures, with the types nested in them",
            type -> ROOT.equals(type.getPackageName())
                    && isValue(type.getEnclosingClass().orElse(type)));

    @ArchTest
    static final ArchRule ioStandsAlone = only("io");

    @ArchTest
    static final ArchRule sqliteKnowsNothingOfReplication = only("sqlite", "io");

    @ArchTest
    static final ArchRule logKnowsWhatSqlitesPagesAre = only("log", "sqlite", "io");

    @ArchTest
    static final ArchRule pagesUseLog = only("pages", "log", "sqlite", "io");

    @ArchTest
    static final ArchRule captureFillsLogAndPages = only("capture", "sqlite", "log", "pages", "io");

    @ArchTest
    static final ArchRule verifyKnowsLogAndPages = only("verify", "log", "pages", "io");

    @ArchTest
    static final ArchRule streamIsFreeOfCaptureAndApply = only("stream", "log", "pages", "verify", "io");

    @ArchTest
    static final ArchRule applyTakesWhatWasVerified = only("apply", "verify", "sqlite", "log", "pages", "io");

    @ArchTest
    static final ArchRule packagesHaveNoCycles =
            slices().matching("dev.lockstep.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule everyPackageHasItsRule = classes()
            .should()
            .resideInAnyPackage(
                    ROOT,
                    inside("io"),
                    inside("sqlite"),
                    inside("log"),
                    inside("pages"),
                    inside("capture"),
                    inside("verify"),
                    inside("stream"),
                    inside("apply"))
            .because(
                    "a new package needs an arrow here and in ARCHITECTURE.md; there is none for a package named util");

    private static boolean isValue(JavaClass type) {
        return type.isEquivalentTo(Position.class)
                || type.isEquivalentTo(Progress.class)
                || type.isAssignableTo(Throwable.class);
    }

    /** The classes of one package use nothing of ours but their own package, those named, and the root's values. */
    private static ArchRule only(String name, String... others) {
        DescribedPredicate<JavaClass> allowed = VALUES.or(resideInAPackage(inside(name)));
        for (String other : others) {
            allowed = allowed.or(resideInAPackage(inside(other)));
        }
        return noClasses()
                .that()
                .resideInAPackage(inside(name))
                .should()
                .dependOnClassesThat(resideInAPackage(ROOT + "..").and(not(allowed)))
                .as(name + " uses only " + String.join(", ", others))
                .allowEmptyShould(true);
    }

    private static String inside(String name) {
        return ROOT + "." + name + "..";
    }
}
